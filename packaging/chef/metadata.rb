name 'interlock_pins'
version '1.0.0'
chef_version '>= 15.0'
