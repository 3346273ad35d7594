"""Publishing: signed apt and yum repositories, whose packages are frozen once they are out."""
