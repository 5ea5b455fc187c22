"""HJ 212-2017 and HJ/T 212-2005: pollution monitoring stations, text frames with a length and a checksum."""
