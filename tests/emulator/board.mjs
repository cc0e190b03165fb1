// A board: flash that stays, a button, a light, and one chip after the other.
import { Chip } from "./chip.mjs";
import { memory, run } from "./fast.mjs";
import { Rom } from "./rom.mjs";
import { UsbHost } from "./usb.mjs";

// At 125 MHz.
const CYCLE_NANOS = 8;
const SLICE_MS = 8;
// How far the chip may be ahead of real time while it idles.
const AHEAD_NANOS = 2e6;
const TIRED_NANOS = 4e9;
const MAX_WARNINGS = 50;

const realNanos = () => Number(process.hrtime.bigint());

export class Board {
  // `told` hears of: attached(device), detached(), data(bytes), drained(), event(object).
  constructor({ flash, led, id, told, isVerbose }) {
    this.flash = flash;
    this.led = led;
    this.id = id;
    this.told = told;
    this.isVerbose = isVerbose;
    this.button = { down: false };
    this.always = false;
    this.chip = null;
    // The chip until its last reset: the boot ROM finds its memory as it was.
    this.before = null;
    this.usb = null;
    this.bootsel = false;
    this.interrupted = false;
    this.resets = [];
    this.warnings = [];
    this.cyclesBefore = 0;
    this.lightChanges = 0;
    this.fastUntil = 0;
    this.timer = null;
    this.running = false;
    this.after = null;
    this.press = null;
    this.rom = new Rom(this);
  }

  get clock() {
    return this.chip.clock;
  }

  get cycles() {
    return this.cyclesBefore + (this.chip ? this.chip.core.cycles : 0);
  }

  get light() {
    return !!this.chip && !!(this.chip.sio.gpioValue & this.chip.sio.gpioOutputEnable & (1 << this.led));
  }

  warn(text) {
    if (this.isVerbose) process.stderr.write(`${text}\n`);
    if (this.warnings.length < MAX_WARNINGS && !this.warnings.includes(text)) this.warnings.push(text);
  }

  plug() {
    if (this.chip || this.bootsel) return;
    this.start(null);
  }

  unplug() {
    this.detach();
    this.stop();
    this.bootsel = false;
  }

  start(before) {
    this.interrupted = false;
    this.fastUntil = 0;
    this.chip = new Chip({
      flash: this.flash,
      rom: this.rom,
      button: this.button,
      id: this.id,
      before,
      warn: (text) => this.warn(text),
      reset: (why) => this.reset(why),
    });
    this.memory = memory(this.chip);
    this.pressAlarm = this.clock.createAlarm(() => this.release());
    this.handAlarm = this.clock.createAlarm(() => this.hand());
    this.chip.gpio[this.led].addListener(() => this.lightChanged());
    this.usb = new UsbHost(this.chip, {
      attached: (device) => this.told.attached(device),
      data: (bytes) => this.told.data(bytes),
      drained: () => this.told.drained(),
      warn: (text) => this.warn(text),
    });
    this.anchor();
    this.wake();
  }

  stop() {
    if (!this.chip) return;
    this.interrupted = true;
    this.after = null;
    this.clock.stop();
    this.cyclesBefore += this.chip.core.cycles;
    this.before = this.chip;
    this.chip = null;
    this.release();
  }

  detach() {
    if (this.usb?.device) this.told.detached();
    this.usb = null;
  }

  // The chip resets itself, from within an instruction.
  reset(why) {
    this.clock.stop();
    this.interrupted = true;
    this.after = () => {
      const before = this.chip;
      this.resets.push(why);
      this.detach();
      this.stop();
      this.start(before);
      this.told.event({ event: "reset", why });
    };
  }

  toBootsel() {
    this.interrupted = true;
    this.after = () => {
      this.unplug();
      this.bootsel = true;
      this.told.event({ event: "bootsel" });
    };
  }

  cut() {
    this.interrupted = true;
    this.after = () => {
      this.unplug();
      this.told.event({ event: "cut" });
    };
  }

  // The button is pressed for so long; `done` follows its release.
  pressFor(millis, done) {
    if (!this.chip) return done();
    this.release();
    this.press = done;
    this.button.down = true;
    this.pressAlarm.schedule(millis * 1e6);
    this.hurry(millis * 1e6 + 1e6);
  }

  release() {
    this.button.down = false;
    const done = this.press;
    this.press = null;
    done?.();
  }

  lightChanged() {
    this.lightChanges += 1;
    if (this.always && this.light) this.reach();
  }

  // A hand reaches for the button, unless it is there.
  reach() {
    if (!this.chip || this.button.down || this.handAlarm.scheduled) return;
    this.handAlarm.schedule(60e6);
    this.hurry(60e6);
  }

  // Somebody who holds the button until the light has stopped blinking, or the finger is tired.
  hand() {
    const { clock, button } = this;
    if (!button.down) {
      button.down = true;
      this.since = clock.nanos;
      this.seen = this.lightChanges;
      this.handAlarm.schedule(TIRED_NANOS / 4);
      this.hurry(TIRED_NANOS / 4);
    } else if ((this.seen === this.lightChanges && !this.light) || clock.nanos - this.since >= TIRED_NANOS) {
      button.down = false;
    } else {
      this.seen = this.lightChanges;
      this.handAlarm.schedule(TIRED_NANOS / 4);
      this.hurry(TIRED_NANOS / 4);
    }
  }

  // Time passes as fast as it can for so long.
  hurry(nanos) {
    this.fastUntil = Math.max(this.fastUntil, this.clock.nanos + nanos);
    this.wake();
  }

  // Calls `done` when so much of the chip's time has passed.
  pass(millis, done) {
    if (!this.chip) return done();
    this.clock.createAlarm(done).schedule(millis * 1e6);
    this.hurry(millis * 1e6 + 1e6);
  }

  // Goes on at once: something came from outside.
  wake() {
    if (this.running) return;
    this.running = true;
    if (this.timer) {
      clearTimeout(this.timer);
      this.timer = null;
      this.caughtUp();
    }
    setImmediate(() => this.slice());
  }

  anchor() {
    this.anchorChip = this.clock.nanos;
    this.anchorReal = realNanos();
  }

  // After a sleep the chip's clock is where it would be.
  caughtUp() {
    if (!this.chip) return;
    const { clock } = this;
    const missing = this.anchorChip + realNanos() - this.anchorReal - clock.nanos;
    if (missing <= 0) return;
    clock.tick(clock.nextAlarm ? Math.min(missing, clock.nextAlarm.nanos - clock.nanos) : missing);
  }

  slice() {
    this.running = false;
    const end = performance.now() + SLICE_MS;
    while (this.chip && !this.timer) {
      this.steps(100_000);
      if (this.interrupted) {
        this.interrupted = false;
        const { after } = this;
        this.after = null;
        after?.();
        return;
      }
      if (performance.now() > end && !this.timer) {
        this.running = true;
        setImmediate(() => this.slice());
        return;
      }
    }
  }

  // Runs for so many cycles.
  steps(count) {
    const { core, clock } = this.chip;
    for (let left = count; left > 0; ) {
      if (core.waiting) {
        if (!this.idle(clock)) return;
        left -= 1;
      } else {
        if (!core.interruptsUpdated) {
          const alarm = clock.nextAlarm;
          const limit = alarm === null ? left : Math.min(left, Math.ceil((alarm.nanos - clock.nanos) / CYCLE_NANOS));
          const cycles = run(core, this.memory, limit);
          left -= cycles;
          clock.nanos += cycles * CYCLE_NANOS;
          if (cycles >= limit) {
            clock.tick(0);
            if (this.interrupted) return;
            continue;
          }
        }
        const cycles = core.executeInstruction();
        left -= cycles;
        clock.tick(cycles * CYCLE_NANOS);
      }
      if (this.interrupted) return;
    }
  }

  // Nothing to do until the next alarm. False: it is slept until then.
  idle(clock) {
    const alarm = clock.nextAlarm;
    const wait = alarm ? Math.max(0, alarm.nanos - clock.nanos) : Infinity;
    if (wait < Infinity && clock.nanos + wait <= this.fastUntil) {
      clock.tick(wait);
      this.anchor();
      return true;
    }
    let lead = clock.nanos - (this.anchorChip + realNanos() - this.anchorReal);
    if (lead < 0) {
      this.anchor();
      lead = 0;
    }
    if (lead + wait <= AHEAD_NANOS) {
      clock.tick(wait);
      return true;
    }
    const millis = Math.min((lead + wait - AHEAD_NANOS / 2) / 1e6, 1e9);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.caughtUp();
      this.wake();
    }, millis);
    return false;
  }
}
