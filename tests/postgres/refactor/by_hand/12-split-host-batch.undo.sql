-- Only copies are thrown away; the host table is the truth until the contract.
TRUNCATE public.host_hardware_next, public.host_network_next;
