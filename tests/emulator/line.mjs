// The serial line as a unix socket: a client is a port that is open, so DTR follows it. One at a time.
import { createServer } from "node:net";

// More bytes than this wait in the client's socket.
const MAX_WAITING = 64 * 1024;

export class Line {
  constructor(path, board) {
    this.board = board;
    this.client = null;
    this.next = null;
    this.server = createServer((socket) => this.connected(socket));
    this.ready = new Promise((resolve, reject) => {
      this.server.on("error", reject);
      this.server.listen(path, resolve);
    });
  }

  connected(socket) {
    socket.on("error", () => {});
    if (!this.board.usb?.device || this.next) {
      socket.destroy();
    } else if (this.client) {
      this.next = socket;
      socket.pause();
    } else {
      this.open(socket);
    }
  }

  open(socket) {
    const { usb } = this.board;
    this.client = socket;
    socket.pause();
    usb.listen(true);
    usb.setDtr(true, () => socket.resume());
    this.board.wake();
    socket.on("data", (bytes) => {
      if (this.client !== socket) return;
      usb.send(bytes);
      if (usb.waits > MAX_WAITING) socket.pause();
      this.board.wake();
    });
    socket.on("drain", () => {
      if (this.client !== socket) return;
      usb.listen(true);
      this.board.wake();
    });
    socket.on("close", () => this.closed(socket, usb));
  }

  // The port's last bytes go out before DTR drops.
  closed(socket, usb) {
    if (this.client !== socket) return;
    usb.listen(true);
    const drop = () => {
      usb.out = [];
      usb.setDtr(false, () => {
        if (this.client !== socket) return;
        this.client = null;
        const { next } = this;
        this.next = null;
        if (next && !next.destroyed) this.open(next);
      });
      this.board.wake();
    };
    if (usb.waits) this.board.pass(500, drop);
    else drop();
  }

  data(bytes) {
    if (!this.client || this.client.destroyed) return;
    if (!this.client.write(bytes)) this.board.usb.listen(false);
  }

  drained() {
    this.client?.resume();
  }

  // The device is gone: so is the port.
  hangUp() {
    const { client, next } = this;
    this.client = null;
    this.next = null;
    // What it sent arrived.
    client?.end();
    next?.destroy();
  }
}
