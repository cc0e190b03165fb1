"""Plugs jcecard's OpenPGP card into vpcd: openpgp_card.py PORT FOLDER ORDERS.

Unplugged, the card is plugged in again once its orders have changed.
"""

import logging
import pathlib
import socket
import sys
import time

from jcecard.main import OpenPGPCard


def receive(stream, count):
    data = b""
    while len(data) < count:
        # vpcd sends length and data apart: a late acknowledgement would cost 40 ms.
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = stream.recv(count - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def odd(card, orders, order, command, chained):
    """What an order makes of the answer to a signature."""
    if order == "endless":
        return bytes(256) + b"\x61\xff"
    if not order or command[0] & 0x10 or command[1] == 0xC0:
        return card.process_apdu(command)
    if order == "truncated":
        return b"\x90"
    if order == "hang":
        # Until it is told something else.
        begun = time.monotonic()
        while word(orders) == "hang" and time.monotonic() - begun < 60:
            time.sleep(0.02)
        return b"\x6f\x00"
    if order == "slow":
        time.sleep(0.05)
    if order == "prefix":
        data = (chained + command[5 : 5 + command[4]])[:32]
        return card.process_apdu(command[:4] + bytes([len(data)]) + data + b"\x00")
    said = {"zeros": bytes(64), "empty": b"", "short": bytes(63)}
    if order in said:
        return said[order] + b"\x90\x00"
    answer = card.process_apdu(command)
    if order == "other":
        return bytes([answer[0] ^ 1]) + answer[1:]
    return answer if order == "slow" else bytes.fromhex(order)


def serve(stream, card, orders):
    chained = b""
    while True:
        command = receive(stream, int.from_bytes(receive(stream, 2), "big"))
        if len(command) == 1:
            if command == b"\x00":
                card.power_off()
            elif command == b"\x01":
                card.power_on()
            elif command == b"\x02":
                card.reset()
            if command != b"\x04":
                continue
            answer = card.get_atr()
        else:
            signs = command[1:4] == b"\x2a\x9e\x9a" or command[1] in (0x88, 0xC0)
            order = word(orders) if signs else ""
            if order == "prefix" and command[0] & 0x10:
                chained += command[5 : 5 + command[4]]
                answer = b"\x90\x00"
            elif order == "unplug" and not command[0] & 0x10:
                return
            else:
                answer = odd(card, orders, order, command, chained)
                chained = b""
        stream.sendall(len(answer).to_bytes(2, "big") + answer)


def word(orders):
    return orders.read_text().strip() if orders.exists() else ""


def main():
    port, folder, orders = int(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    logging.disable(logging.CRITICAL)
    card = OpenPGPCard(storage_path=folder)
    deadline = time.monotonic() + 10
    # pcscd listens late, and ends with the agent.
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port)) as stream:
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                serve(stream, card, orders)
        except ConnectionRefusedError:
            time.sleep(0.02)
            continue
        except OSError:
            # vpcd closes a connection now and then: the next one lasts.
            pass
        card.power_off()
        gone = time.monotonic()
        while word(orders) == "unplug":
            if time.monotonic() - gone > 60:
                return
            time.sleep(0.02)
        deadline = time.monotonic() + 10


main()
