"""python-arq's driver with a fault: PLANT=lose:N does not note that job N ran, PLANT=double:N notes it twice."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "bench/peers/drivers"))
# pylint: disable=wrong-import-position
import driver

KIND, NUMBER = os.environ.get("PLANT", "none:0").split(":")
NOTE = driver.ran


def ran(text):
    if int(text[:10]) != int(NUMBER) or KIND == "none":
        NOTE(text)
    elif KIND == "double":
        NOTE(text)
        NOTE(text)


driver.ran = ran

import arq_peer

if __name__ == "__main__":
    driver.main(arq_peer.Peer())
