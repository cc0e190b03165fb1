// A Pico that runs an RP2040 image, with its serial line at a unix socket. Standard input takes orders, standard output
// answers them and tells what happens, a line of JSON each. It ends when standard input does.
//   node emulator.mjs --flash FILE --line SOCKET [--image FILE] [--led PIN] [--id HEX] [--verbose]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createInterface } from "node:readline";
import { Board } from "./board.mjs";
import { Flash, PHASES } from "./flash.mjs";
import { writeImage } from "./image.mjs";
import { Line } from "./line.mjs";
import { noise } from "./peripherals.mjs";

const { values: options } = parseArgs({
  options: {
    flash: { type: "string" },
    line: { type: "string" },
    image: { type: "string" },
    led: { type: "string", default: "25" },
    id: { type: "string", default: "e6613852831f0ab0" },
    size: { type: "string", default: "2097152" },
    verbose: { type: "boolean", default: false },
  },
});
if (!options.flash || !options.line) throw new Error("--flash and --line are needed");

const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);
const flash = new Flash(options.flash, Number(options.size));
if (options.image) writeImage(flash, options.image);
const board = new Board({
  flash,
  led: Number(options.led),
  id: Buffer.from(options.id, "hex"),
  isVerbose: options.verbose,
  told: {
    attached: (device) => say({ event: "attached", device }),
    detached: () => {
      line.hangUp();
      say({ event: "detached" });
    },
    data: (bytes) => line.data(bytes),
    drained: () => line.drained(),
    event: say,
  },
});
const line = new Line(options.line, board);

const whole = (value, name) => {
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} is no number`);
  return value;
};
const phase = (value) => {
  if (!PHASES.includes(value)) throw new Error(`no such phase: ${value}`);
  return value;
};

// Each takes the order, and what to call with more of the answer when it is done; or returns that.
const orders = {
  press: ({ ms = 100 }, done) => board.pressFor(whole(ms, "ms"), done),
  down: () => {
    board.button.down = true;
  },
  up: () => {
    board.button.down = false;
  },
  // Whether somebody presses the button whenever the light blinks.
  presence: ({ always }) => {
    board.always = always === true;
  },
  // Somebody presses it now, for as long as the light blinks.
  hand: () => board.reach(),
  // Whether the noise of the ring oscillator is stuck.
  noise: ({ stuck }) => {
    noise.isStuck = stuck === true;
  },
  wait: ({ ms }, done) => board.pass(whole(ms, "ms"), done),
  plug: () => board.plug(),
  unplug: () => board.unplug(),
  suspend: () => {
    board.usb?.suspend();
    board.wake();
  },
  resume: () => {
    board.usb?.resume();
    board.wake();
  },
  // Flash is changed while the board is without power; then it is plugged in again.
  image: ({ path }) => {
    board.unplug();
    writeImage(flash, path);
    board.plug();
  },
  // Writes its memory to a file: RAM, then that of the USB controller. In the bootloader as the firmware left it.
  memory: ({ path }) => {
    const { sram, usbDPRAM } = board.bootsel ? board.before : board.chip;
    writeFileSync(path, Buffer.concat([sram, usbDPRAM]));
  },
  record: () => flash.record(),
  calls: () => ({
    calls: flash.calls.map(({ erases, offset, length }) => ({ erases, offset, length })),
  }),
  // The power fails in this call since `record`.
  cut: (order) => flash.cutAt(whole(order.call, "call"), phase(order.phase)),
  // As if the power had failed in this call of those recorded: flash as it stood then.
  replay: (order) => {
    board.unplug();
    const torn = flash.replay(whole(order.call, "call"), phase(order.phase));
    board.plug();
    return { torn };
  },
  state: () => ({
    powered: board.chip !== null,
    bootsel: board.bootsel,
    device: board.usb?.device ?? null,
    dtr: board.usb?.dtr ?? false,
    light: board.light,
    lightChanges: board.lightChanges,
    cycles: board.cycles,
    millis: board.chip ? board.clock.nanos / 1e6 : 0,
    resets: board.resets,
    warnings: board.warnings,
  }),
};

// A chip that does what no chip does is a broken test, not a warning.
process.on("uncaughtException", (error) => {
  process.stderr.write(`${error.stack}\n`);
  say({ event: "failed", error: error.message });
  process.exit(1);
});

await line.ready;
board.plug();
say({ event: "ready" });

const input = createInterface({ input: process.stdin });
input.on("line", (text) => {
  let id = null;
  try {
    const order = JSON.parse(text);
    id = order.id;
    const work = orders[order.order];
    if (!work) throw new Error(`no such order: ${order.order}`);
    const answer = () => say({ id });
    if (work.length > 1) work(order, answer);
    else say({ id, ...work(order) });
  } catch (error) {
    say({ id, error: error.message });
  }
});
input.on("close", () => process.exit(0));
