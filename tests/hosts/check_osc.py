"""An OSC sender that is not ours (python-osc). Usage: SCRIPT PORT; sends a line for each that it reads."""

import sys

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import UDPClient

client = UDPClient("127.0.0.1", int(sys.argv[1]))


def message(address, *args):
    builder = OscMessageBuilder(address=address)
    for arg in args:
        builder.add_arg(*arg) if isinstance(arg, tuple) else builder.add_arg(arg)
    return builder.build()


def bundle(*messages):
    builder = OscBundleBuilder(IMMEDIATELY)
    for one in messages:
        builder.add_content(one)
    return builder.build()


client.send(message("/ypr", 90, 0.0, (0.0, "d")))
client.send(message("/zeitgeber/beat", (6.5, "d")))
client.send(message("/zeitgeber/space_kind", "hrtf"))
client.send(message("/zeitgeber/head_track", False))
client.send(bundle(message("/zeitgeber/norm/l1_level", 1), bundle(message("/zeitgeber/carrier", 300))))
