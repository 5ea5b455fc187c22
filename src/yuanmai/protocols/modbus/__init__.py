"""Modbus over TCP and, behind serial servers, RTU over TCP: `pdu` asks and understands, `frame` wraps and finds the ends,
`values` makes numbers of registers, `plan` joins what is to be read. Transactions are matched by the caller.
"""
