"""Simulated devices that speak the real protocols over sockets.

They are written from the standards a second time and share no code with `yuanmai.protocols`, so that a mistake in a codec is not
answered by the same mistake: stations (HJ 212), terminals (JT/T 808), lamps, gates and sensors (MQTT), meters (DL/T 645,
Modbus TCP). `yuanmai simulate KIND --count N --rate R` makes load of them; `park` is the small set of the demonstration.
"""
