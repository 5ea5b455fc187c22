"""JT/T 808-2011, -2013 and -2019: vehicle terminals, binary frames between 7E bytes."""
