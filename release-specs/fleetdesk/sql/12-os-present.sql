-- Reads the table under SHARE UPDATE EXCLUSIVE, beside readers and writers, so that the contract of
-- os-name finds proved what SET NOT NULL would otherwise check under an exclusive lock.
ALTER TABLE public.host VALIDATE CONSTRAINT host_os_present;
