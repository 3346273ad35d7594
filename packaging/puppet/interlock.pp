# Keeps the packages of a product at the versions that the wave has for this node.
class interlock (
  Hash[String[1], String[1]] $packages = {},
) {
  $packages.each |$name, $version| {
    package { $name: ensure => $version }
  }
}
