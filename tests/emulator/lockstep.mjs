// Runs an image's start in two chips, one with fast.mjs and one without, and compares them after each instruction.
//   node lockstep.mjs --image FILE [--steps N]
import { parseArgs } from "node:util";
import { Chip } from "./chip.mjs";
import { memory, run } from "./fast.mjs";
import { Flash } from "./flash.mjs";
import { writeImage } from "./image.mjs";
import { Rom } from "./rom.mjs";
import { UsbHost } from "./usb.mjs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { values: options } = parseArgs({
  options: { image: { type: "string" }, steps: { type: "string", default: "3000000" } },
});
const folder = mkdtempSync(join(tmpdir(), "nkey-lockstep-"));
process.on("exit", () => rmSync(folder, { recursive: true }));

function start(name) {
  const flash = new Flash(join(folder, name), 2 ** 21);
  writeImage(flash, options.image);
  const board = { flash, warn() {} };
  const reset = (why) => {
    throw new Error(`a reset: ${why}`);
  };
  const chip = new Chip({
    flash,
    rom: new Rom(board),
    button: { down: false },
    id: Buffer.from("e6613852831f0ab0", "hex"),
    warn() {},
    reset,
  });
  board.clock = chip.clock;
  new UsbHost(chip, { attached() {}, data() {}, drained() {}, warn() {} });
  // The same noise for both.
  let state = 1;
  chip.peripherals[0x40060].readUint32 = (offset) => {
    if (offset !== 0x1c) return 0x80001000;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 31;
  };
  return chip;
}

const [plain, fast] = [start("plain"), start("fast")];
const arrays = memory(fast);
const flags = ({ core }) => [core.N, core.Z, core.C, core.V].map(Number).join("");
let [byFast, executed] = [0, 0];

function slow(chip) {
  if (chip.core.waiting) chip.clock.tick(chip.clock.nanosToNextAlarm || 8);
  else chip.clock.tick(chip.core.executeInstruction() * 8);
}

for (; executed < Number(options.steps); executed++) {
  const { PC } = plain.core;
  slow(plain);
  const { core, clock } = fast;
  const cycles = core.waiting || core.interruptsUpdated ? 0 : run(core, arrays, 1);
  if (cycles) {
    byFast += 1;
    clock.tick(cycles * 8);
  } else slow(fast);
  const same =
    plain.core.registers.every((value, at) => value === core.registers[at]) &&
    flags(plain) === flags(fast) &&
    plain.core.cycles === core.cycles;
  if (!same) {
    const opcode = plain.readUint16(PC).toString(16);
    console.error(`they differ after ${opcode} at ${PC.toString(16)}, instruction ${executed}`);
    for (const chip of [plain, fast]) console.error([...chip.core.registers].map((value) => value.toString(16)).join(" "), flags(chip), chip.core.cycles);
    process.exit(1);
  }
}
const differs = plain.sram.findIndex((byte, at) => byte !== fast.sram[at]);
if (differs >= 0) {
  console.error(`memory differs at ${differs.toString(16)}`);
  process.exit(1);
}
console.log(JSON.stringify({ executed, byFast }));
