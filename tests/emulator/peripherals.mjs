// Peripherals that rp2040js does not have: registers that keep what is written, and the few that matter.
import { randomBytes } from "node:crypto";
import { BasePeripheral } from "rp2040js";

class Registers extends BasePeripheral {
  constructor(chip, name, values = {}) {
    super(chip, name);
    this.values = new Map(Object.entries(values).map(([offset, value]) => [Number(offset), value]));
  }

  readUint32(offset) {
    return this.values.get(offset) ?? 0;
  }

  writeUint32(offset, value) {
    this.values.set(offset, value);
  }
}

class Xip extends Registers {
  readUint32(offset) {
    // Flushed, and nothing in the stream.
    return offset === 0x08 ? 0b011 : super.readUint32(offset);
  }
}

class Rosc extends Registers {
  constructor(chip) {
    super(chip, "ROSC");
    this.bytes = [];
    this.left = 0;
  }

  readUint32(offset) {
    if (offset === 0x18) return 0x80001000; // stable, enabled
    if (offset !== 0x1c) return super.readUint32(offset);
    if (this.left === 0) {
      this.bytes = randomBytes(4096);
      this.left = this.bytes.length * 8;
    }
    this.left -= 1;
    return (this.bytes[this.left >> 3] >> (this.left & 7)) & 1;
  }
}

class IoQspi extends Registers {
  constructor(chip, button) {
    super(chip, "IO_QSPI");
    this.button = button;
  }

  readUint32(offset) {
    if (offset !== 0x08) return super.readUint32(offset);
    // Chip select is high while nobody reads flash; BOOTSEL pulls it low once its driver is off.
    const isFloating = ((super.readUint32(0x0c) >> 12) & 3) === 2;
    return isFloating && this.button.down ? 0 : (1 << 17) | (1 << 19);
  }
}

// Commands to the flash chip itself, in the SSI's EEPROM mode: its id, and what it is.
function addFlashCommands(chip, id) {
  const ssi = chip.peripherals[0x18000];
  const { readUint32, writeUint32 } = ssi;
  let command = [];
  let read = 0;
  const isCommand = () => ((readUint32.call(ssi, 0x00) >> 8) & 3) === 3;
  ssi.writeUint32 = (offset, value) => {
    if (offset === 0x08) {
      command = [];
      read = 0;
    }
    if (offset === 0x60 && isCommand()) command.push(value & 0xff);
    else writeUint32.call(ssi, offset, value);
  };
  ssi.readUint32 = (offset) => {
    if (offset !== 0x60 || !isCommand()) return readUint32.call(ssi, offset);
    // 4B: four bytes of nothing, then the unique id. 9F: a W25Q16JV.
    const answer = { 0x4b: [0, 0, 0, 0, ...id], 0x9f: [0xef, 0x70, 0x15] }[command[0]] ?? [];
    return answer[read++] ?? 0;
  };
}

// Adds them to a chip.
export function addPeripherals(chip, button, id) {
  addFlashCommands(chip, id);
  chip.peripherals[0x14000] = new Xip(chip, "XIP_CTRL");
  chip.peripherals[0x40018] = new IoQspi(chip, button);
  chip.peripherals[0x40060] = new Rosc(chip);
  // The regulator is in regulation; the last reset was power-on.
  chip.peripherals[0x40064] = new Registers(chip, "VREG", { 0x00: 0x10b1, 0x08: 0x100 });
}
