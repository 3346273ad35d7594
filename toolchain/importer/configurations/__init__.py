"""What packages were made from: nfpm, fpm, debian/ and rpm specs, read and never run."""
