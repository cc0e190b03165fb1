// rp2040js' chip with this board around it.
import { RP2040 } from "rp2040js";
import { Clock } from "./clock.mjs";
import { addPeripherals } from "./peripherals.mjs";

const RAM = 0x20000000;
const RAM_LEN = 264 * 1024;
const FLASH = 0x10000000;
const AIRCR = 0xd0c;
const SCR = 0xd10;

export class Chip extends RP2040 {
  // RAM and the watchdog's scratch registers outlive a reset, so they come from the chip before it.
  constructor({ flash, rom, button, id, before, warn, reset }) {
    super(new Clock());
    this.logger = logger(this, warn);
    this.flash = flash.bytes;
    this.flashView = flash.view;
    this.flashLen = flash.bytes.length;
    rom.load(this);
    addPeripherals(this, button, id);
    const watchdog = this.peripherals[0x40058];
    if (before) {
      this.sram.set(before.sram);
      watchdog.scratchData.set(before.peripherals[0x40058].scratchData);
      watchdog.reason = before.peripherals[0x40058].reason;
    }
    watchdog.onWatchdogTrigger = () => reset("watchdog");
    this.addSystemControl(reset);
    const { core } = this;
    core.VTOR = 0x10000100;
    core.SP = 0x20041f00;
    core.PC = FLASH;
    core.LR = 0;
  }

  addSystemControl(reset) {
    const { ppb } = this;
    const { readUint32, writeUint32 } = ppb;
    ppb.readUint32 = (offset) => (offset === AIRCR || offset === SCR ? 0 : readUint32.call(ppb, offset));
    ppb.writeUint32 = (offset, value) => {
      if (offset === AIRCR) {
        if (value & 4) {
          this.peripherals[0x40058].reason = 0;
          reset("software");
        }
      } else if (offset !== SCR) writeUint32.call(ppb, offset, value);
    };
  }

  // What nearly every access is, without the search through all peripherals.
  readUint32(address) {
    const at = (address >>> 0) - RAM;
    if (at >= 0 && at + 3 < RAM_LEN && !(at & 3)) return this.sramView.getUint32(at, true);
    const code = (address >>> 0) - FLASH;
    if (code >= 0 && code + 3 < this.flashLen && !(code & 3)) return this.flashView.getUint32(code, true);
    return super.readUint32(address);
  }

  writeUint32(address, value) {
    const at = (address >>> 0) - RAM;
    if (at >= 0 && at + 3 < RAM_LEN) this.sramView.setUint32(at, value, true);
    else super.writeUint32(address, value);
  }
}

// Only what is not implemented is of interest. rp2040js tells SEV to nobody but its logger.
function logger(chip, warn) {
  return {
    debug() {},
    info(name, message) {
      if (message === "SEV") chip.core.eventRegistered = true;
    },
    warn: (name, message) => warn(`${name}: ${message}`),
    error: (name, message) => warn(`${name}: ${message}`),
  };
}
