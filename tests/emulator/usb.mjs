// The host's end of USB: enumerates as an operating system does, then carries a serial line (CDC-ACM).
const AVAILABLE = 1 << 10;
const STALL = 1 << 11;
const FULL = 1 << 15;
const LENGTH = 0x3ff;
const CONTROL_IN = 0x80;
const CONTROL_OUT = 0x84;
const PACKET = 64;
const SIE_CTRL = 0x4c;
const SIE_STATUS = 0x50;
const PULLUP = 1 << 16;
const SUSPENDED = 1 << 4;
const RESUME = 1 << 11;

const RESET_NANOS = 10e6;
// A packet of 64 bytes at 12 Mbit/s, and a short one.
const PACKET_NANOS = 50e3;
const SHORT_NANOS = 10e3;
const PATIENCE_NANOS = 2e9;

const DEVICE = 1;
const CONFIGURATION = 2;
const STRING = 3;
const SET_ADDRESS = 5;
const GET_DESCRIPTOR = 6;
const SET_CONFIGURATION = 9;
const SET_LINE_CODING = 0x20;
const SET_CONTROL_LINE_STATE = 0x22;
const CLASS_OUT = 0x21;
const LINE_CODING = Uint8Array.from([0x00, 0xc2, 0x01, 0x00, 0, 0, 8]); // 115200 8N1

export class UsbHost {
  // `told` hears of: attached(device), data(bytes), drained(), warn(text).
  constructor(chip, told) {
    this.usb = chip.usbCtrl;
    this.chip = chip;
    this.told = told;
    this.device = null;
    this.dtr = false;
    this.listens = true;
    this.transfers = [];
    this.out = [];
    this.endpoints = null;
    const { clock } = chip;
    this.outAlarm = clock.createAlarm(() => this.deliver());
    this.inAlarms = [];
    this.patience = clock.createAlarm(() => this.fail("no answer"));
    this.clock = clock;
    this.hook();
  }

  hook() {
    const { usb } = this;
    const { writeUint32 } = usb;
    usb.DPRAMUpdated = (offset, value) => this.updated(offset, value);
    usb.writeUint32 = (offset, value) => {
      const wasUp = usb.sieCtrl & PULLUP;
      const raw = usb.rawWriteValue;
      if (offset === SIE_STATUS && raw & SUSPENDED) usb.sieStatus &= ~SUSPENDED;
      writeUint32.call(usb, offset, value);
      if (offset === SIE_CTRL && value & PULLUP && !wasUp) usb.resetAlarm.schedule(RESET_NANOS);
    };
    usb.onResetReceived = () => {
      this.transfers = [];
      this.enumerate();
    };
  }

  // What the chip does with a buffer: arms it, offers it, or stalls.
  updated(offset, value) {
    if (offset < CONTROL_IN || offset > 0xfc) return;
    const endpoint = (offset - CONTROL_IN) >> 3;
    if (endpoint === 0 && value & STALL) {
      if (this.transfers.length && this.transfers[0].started) this.fail("stalled");
      return;
    }
    if (!(value & AVAILABLE)) return;
    if (offset & 4) this.armed(endpoint);
    else this.offered(endpoint);
  }

  control(endpoint, out) {
    return (out ? CONTROL_OUT : CONTROL_IN) + endpoint * 8;
  }

  isAvailable(endpoint, out) {
    return !!(this.chip.usbDPRAMView.getUint32(this.control(endpoint, out), true) & AVAILABLE);
  }

  armed(endpoint) {
    if (endpoint === 0) this.controlArmed();
    else if (this.endpoints && endpoint === this.endpoints.out) this.serveOut();
  }

  offered(endpoint) {
    this.inAlarms[endpoint] ??= this.clock.createAlarm(() => this.take(endpoint));
    const holds = this.endpoints && endpoint === this.endpoints.in && !(this.dtr && this.listens);
    if (!holds) this.inAlarms[endpoint].schedule(SHORT_NANOS);
  }

  // Takes an IN packet.
  take(endpoint) {
    const { chip, usb } = this;
    if (!this.isAvailable(endpoint, false)) return;
    const at = this.control(endpoint, false);
    const value = chip.usbDPRAMView.getUint32(at, true);
    const from = usb.getEndpointBufferOffset(endpoint, false);
    const packet = chip.usbDPRAM.slice(from, from + (value & LENGTH));
    chip.usbDPRAMView.setUint32(at, value & ~(AVAILABLE | FULL), true);
    usb.indicateBufferReady(endpoint, false);
    if (endpoint === 0) this.controlIn(packet);
    else if (endpoint === this.endpoints?.in && packet.length) this.told.data(packet);
  }

  // Gives an OUT packet to a buffer that is armed.
  give(endpoint, packet) {
    const { chip, usb } = this;
    const at = this.control(endpoint, true);
    const value = chip.usbDPRAMView.getUint32(at, true);
    const length = Math.min(packet.length, value & LENGTH);
    chip.usbDPRAMView.setUint32(at, (value & ~(AVAILABLE | LENGTH)) | FULL | length, true);
    chip.usbDPRAM.set(packet.subarray(0, length), usb.getEndpointBufferOffset(endpoint, true));
    usb.indicateBufferReady(endpoint, true);
  }

  // Control transfers, one after the other. `done` gets the bytes that came, or null.
  transfer(type, request, value, index, data, length, done) {
    const setup = new Uint8Array(8);
    const words = new DataView(setup.buffer);
    setup.set([type, request]);
    words.setUint16(2, value, true);
    words.setUint16(4, index, true);
    words.setUint16(6, data ? data.length : length, true);
    this.transfers.push({ setup, data, length, done, came: [], started: false, sent: 0 });
    if (this.transfers.length === 1) this.begin();
  }

  begin() {
    const [transfer] = this.transfers;
    if (!transfer) return;
    transfer.started = true;
    this.patience.schedule(PATIENCE_NANOS);
    this.usb.sendSetupPacket(transfer.setup);
  }

  finish(result) {
    const transfer = this.transfers.shift();
    this.patience.cancel();
    transfer.done?.(result);
    if (this.transfers.length && !this.transfers[0].started) this.begin();
  }

  fail(why) {
    const { setup } = this.transfers[0];
    this.told.warn(`USB control request ${Buffer.from(setup).toString("hex")}: ${why}`);
    this.finish(null);
  }

  controlIn(packet) {
    const [transfer] = this.transfers;
    if (!transfer) return;
    if (transfer.data || transfer.length === 0) {
      // The status stage of a transfer to the device.
      this.finish(Uint8Array.of());
      return;
    }
    transfer.came.push(...packet);
    if (packet.length === PACKET && transfer.came.length < transfer.length) return;
    transfer.ends = true;
    if (this.isAvailable(0, true)) this.controlArmed();
  }

  controlArmed() {
    const [transfer] = this.transfers;
    if (!transfer) return;
    if (transfer.ends) {
      this.give(0, Uint8Array.of());
      this.finish(Uint8Array.from(transfer.came));
    } else if (transfer.data && transfer.sent < transfer.data.length) {
      const packet = transfer.data.subarray(transfer.sent, transfer.sent + PACKET);
      transfer.sent += packet.length;
      this.give(0, packet);
    }
  }

  enumerate() {
    const device = {};
    const descriptor = (type, index, language, length, done) =>
      this.transfer(0x80, GET_DESCRIPTOR, (type << 8) | index, language, null, length, done);
    const text = (index, done) =>
      descriptor(STRING, index, 0x0409, 255, (bytes) =>
        done(bytes ? Buffer.from(bytes.subarray(2)).toString("utf16le") : null),
      );
    let configuration;
    descriptor(DEVICE, 0, 0, 18, (bytes) => {
      if (!bytes || bytes.length !== 18) {
        this.told.warn(`a device descriptor of ${bytes?.length} bytes`);
        return;
      }
      const words = new DataView(bytes.buffer);
      device.vendor = words.getUint16(8, true).toString(16).padStart(4, "0");
      device.id = words.getUint16(10, true).toString(16).padStart(4, "0");
      const names = ["manufacturer", "product", "serial"];
      this.transfer(0, SET_ADDRESS, 1, 0, null, 0, null);
      names.forEach((name, at) => bytes[14 + at] && text(bytes[14 + at], (value) => (device[name] = value)));
      descriptor(CONFIGURATION, 0, 0, 9, (head) => {
        const length = new DataView(head.buffer).getUint16(2, true);
        descriptor(CONFIGURATION, 0, 0, length, (whole) => {
          configuration = serialEndpoints(whole);
          this.endpoints = configuration;
          this.transfer(0, SET_CONFIGURATION, whole[5], 0, null, 0, null);
          this.transfer(CLASS_OUT, SET_LINE_CODING, 0, configuration.interface, LINE_CODING, 0, () => {
            this.device = device;
            this.told.attached(device);
          });
        });
      });
    });
  }

  // What opening and closing the port does.
  setDtr(on, done) {
    const state = on ? 3 : 0;
    this.transfer(CLASS_OUT, SET_CONTROL_LINE_STATE, state, this.endpoints.interface, null, 0, () => {
      this.dtr = on;
      if (on) this.serveIn();
      done?.();
    });
  }

  // Whether the host takes what comes.
  listen(on) {
    this.listens = on;
    if (on) this.serveIn();
  }

  serveIn() {
    if (this.endpoints && this.isAvailable(this.endpoints.in, false)) this.offered(this.endpoints.in);
  }

  // Bytes for the device.
  send(bytes) {
    if (bytes.length) this.out.push(bytes);
    this.serveOut();
  }

  get waits() {
    return this.out.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  serveOut() {
    if (this.out.length && !this.outAlarm.scheduled && this.isAvailable(this.endpoints.out, true)) {
      this.outAlarm.schedule(PACKET_NANOS);
    }
  }

  deliver() {
    if (!this.out.length || !this.isAvailable(this.endpoints.out, true)) return;
    const packet = this.out[0].subarray(0, PACKET);
    if (this.out[0].length > PACKET) this.out[0] = this.out[0].subarray(PACKET);
    else this.out.shift();
    this.give(this.endpoints.out, packet);
    if (!this.out.length) this.told.drained();
  }

  suspend() {
    this.usb.sieStatus |= SUSPENDED;
    this.usb.sieStatusUpdated();
  }

  resume() {
    this.usb.sieStatus |= RESUME;
    this.usb.sieStatusUpdated();
  }
}

// The endpoints of the data interface, and the number of the one that takes requests.
function serialEndpoints(bytes) {
  const found = { in: -1, out: -1, interface: -1 };
  let isData = false;
  for (let at = 0; at + 2 <= bytes.length && bytes[at] >= 2; at += bytes[at]) {
    const type = bytes[at + 1];
    if (type === 4) {
      isData = bytes[at + 5] === 10;
      if (bytes[at + 5] === 2) found.interface = bytes[at + 2];
    } else if (type === 5 && isData) {
      if (bytes[at + 2] & 0x80) found.in = bytes[at + 2] & 15;
      else found.out = bytes[at + 2] & 15;
    }
  }
  if (Object.values(found).includes(-1)) throw new Error("the device has no serial line");
  return found;
}
