"""MQTT 3.1.1 and 5.0 (and 3.1, which old devices still speak): `packets` what is said, `properties` of 5.0, `reader` and `writer` the
bytes, `stream` finds the packets, `topics` names and filters. Sessions are the caller's.
"""
