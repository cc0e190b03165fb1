// A stub of the boot ROM: each function is a breakpoint and a return, the host does the work.
import { checked } from "./flash.mjs";

const TABLE = 0x100;
const FUNCTIONS = 0x200;
const RETURN = 0x4770;
const BREAK = 0xbe00;
// A sector is erased, a page programmed in about this time (W25Q16JV).
const ERASE_NANOS = 45e6;
const PROGRAM_NANOS = 0.4e6;
const LOOKUP = 0;

export class Rom {
  constructor(board) {
    this.board = board;
    this.functions = [null];
    this.codes = new Map();
    this.add("IF", () => {});
    this.add("EX", () => {});
    this.add("FC", () => {});
    this.add("CX", () => {});
    this.add("RE", (chip, r) => {
      this.flash({ erases: true, offset: r[0], length: r[1] }, (ERASE_NANOS * r[1]) / 4096);
    });
    this.add("RP", (chip, r) => {
      const data = new Uint8Array(r[2]);
      for (let at = 0; at < data.length; at++) data[at] = chip.readUint8(r[1] + at);
      this.flash({ erases: false, offset: r[0], length: r[2], data }, (PROGRAM_NANOS * r[2]) / 256);
    });
    this.add("UB", () => board.toBootsel());
    const copy = (chip, r) => {
      for (let at = 0; at < r[2]; at++) chip.writeUint8(r[0] + at, chip.readUint8(r[1] + at));
    };
    const set = (chip, r) => {
      for (let at = 0; at < r[2]; at++) chip.writeUint8(r[0] + at, r[1] & 0xff);
    };
    for (const code of ["MC", "C4"]) this.add(code, copy);
    for (const code of ["MS", "S4"]) this.add(code, set);
  }

  add(code, work) {
    this.codes.set(code.charCodeAt(0) | (code.charCodeAt(1) << 8), this.functions.length);
    this.functions.push(work);
  }

  flash(call, nanos) {
    const { board } = this;
    if (board.flash.apply(checked(call, board.flash.bytes.length))) board.cut();
    else board.clock.tick(nanos);
  }

  load(chip) {
    const half = new Uint16Array(chip.bootrom.buffer);
    const word = (at, value) => (chip.bootrom[at / 4] = value);
    // "Mu", 1, and the version of the B2 ROM.
    word(0x10, 0x0301754d);
    half[0x14 / 2] = TABLE;
    half[0x16 / 2] = TABLE;
    half[0x18 / 2] = FUNCTIONS + 1;
    this.functions.forEach((_, number) => {
      half[FUNCTIONS / 2 + number * 2] = BREAK | number;
      half[FUNCTIONS / 2 + number * 2 + 1] = RETURN;
    });
    chip.onBreak = (number) => {
      const { registers } = chip.core;
      const isRom = chip.core.PC < 0x4000;
      if (isRom && number === LOOKUP) registers[0] = this.lookup(registers[1]);
      else if (isRom && this.functions[number]) this.functions[number](chip, registers);
      else throw new Error(`breakpoint ${number} at ${chip.core.PC.toString(16)}`);
    };
  }

  lookup(code) {
    const number = this.codes.get(code);
    if (number === undefined) {
      const name = String.fromCharCode(code & 0xff, code >> 8);
      this.board.warn(`the boot ROM's function ${name} was looked up`);
      return 0;
    }
    return FUNCTIONS + number * 4 + 1;
  }
}
