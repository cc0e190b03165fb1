// Flash: bytes with a file behind them, the calls that changed them, and power that fails in one.
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";

export const SECTOR = 4096;
const PAGE = 256;

// Where the power fails in a call.
export const PHASES = ["before", "half", "after"];

export class Flash {
  // The file is made if it is not there.
  constructor(path, size) {
    this.path = path;
    this.bytes = new Uint8Array(size).fill(0xff);
    this.view = new DataView(this.bytes.buffer);
    this.calls = [];
    this.start = this.bytes.slice();
    this.cut = null;
    if (existsSync(path)) {
      const content = readFileSync(path);
      if (content.length !== size) throw new Error(`${path} has ${content.length} bytes, flash has ${size}`);
      this.bytes.set(content);
    }
    this.file = openSync(path, existsSync(path) ? "r+" : "w+", 0o600);
    this.save();
  }

  // All of it goes to the file.
  save() {
    writeSync(this.file, this.bytes, 0, this.bytes.length, 0);
  }

  close() {
    closeSync(this.file);
  }

  // From here on calls are counted, and can be replayed.
  record() {
    this.calls = [];
    this.start = this.bytes.slice();
  }

  // The call number `call` since the last `record` is cut in this phase.
  cutAt(call, phase) {
    this.cut = { call, phase };
  }

  // One call of the boot ROM. True: the power failed in it.
  apply(call) {
    const { cut } = this;
    const fails = cut !== null && cut.call === this.calls.length;
    this.calls.push(call);
    if (fails) this.cut = null;
    change(this.bytes, call, fails ? cut.phase : "after");
    if (!fails || cut.phase !== "before") {
      writeSync(this.file, this.bytes, call.offset, call.length, call.offset);
    }
    return fails;
  }

  // Flash as it stood when call number `call` was cut in this phase. Whether the call was torn: neither not done nor done.
  replay(number, phase) {
    if (number >= this.calls.length) throw new Error(`there were ${this.calls.length} calls`);
    this.bytes.set(this.start);
    for (const call of this.calls.slice(0, number)) change(this.bytes, call, "after");
    const call = this.calls[number];
    const at = () => Buffer.from(this.bytes.subarray(call.offset, call.offset + call.length));
    const before = at();
    change(this.bytes, call, phase);
    this.save();
    const now = at();
    const done = Uint8Array.from(before);
    change(done, { ...call, offset: 0 }, "after");
    return !now.equals(before) && !now.equals(done);
  }
}

function change(bytes, call, phase) {
  if (phase === "before") return;
  const { offset, length } = call;
  if (call.erases) {
    bytes.fill(0xff, offset, offset + (phase === "half" ? length / 2 : length));
    return;
  }
  const done = phase === "half" ? middle(call.data) : length;
  for (let at = 0; at < done; at++) bytes[offset + at] &= call.data[at];
  // And half of a byte: a try of the PIN is one.
  if (done < length) bytes[offset + done] &= call.data[done] | 0x0f;
}

// In the middle of what is programmed: 0xff changes nothing, and an entry of a counter is 28 bytes of a page.
function middle(data) {
  const isSome = (byte) => byte !== 0xff;
  const from = data.findIndex(isSome);
  return from < 0 ? 0 : from + Math.floor((data.findLastIndex(isSome) + 1 - from) / 2);
}

export function checked(call, size) {
  const unit = call.erases ? SECTOR : PAGE;
  if (call.offset % unit || call.length % unit || !call.length || call.offset + call.length > size) {
    const what = call.erases ? "erase" : "program";
    throw new Error(`flash cannot ${what} ${call.length} bytes at ${call.offset}`);
  }
  return call;
}
