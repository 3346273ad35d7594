# Keeps the packages of a product at the versions that the wave has for this node.
wave = node['interlock']['packages']
(wave[node.name] || wave[node['fqdn']] || {}).each do |name, wanted|
  package name do
    version wanted
  end
end
