// The instructions that a program spends its time with, on registers and plain memory, a few times faster than
// rp2040js. Everything else is left to it: `lockstep.mjs` compares the two, instruction by instruction.
const FLASH = 0x10000000;
const RAM = 0x20000000;

// Where a chip's memory is, as arrays of each width.
export function memory(chip) {
  const { sram, flash } = chip;
  const views = (bytes) => [
    new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
    new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2),
    new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
  ];
  // Signed numbers are what the engine computes with.
  const [ram8, ram16, ram32] = views(sram);
  const [flash8, flash16, flash32] = views(flash);
  return { ram8, ram16, ram32, flash8, flash16, flash32, r: new Int32Array(chip.core.registers.buffer) };
}

// Runs until `limit` cycles have passed, or up to an instruction for rp2040js. How many cycles passed.
export function run(core, memory, limit) {
  const { ram8, ram16, ram32, flash8, flash16, flash32, r } = memory;
  const ramLen = ram8.length;
  const flashLen = flash8.length;
  let pc = r[15];
  let cycles = 0;
  // N and Z are those of this number.
  let nz = core.Z ? 0 : core.N ? -1 : 1;
  let c = core.C ? 1 : 0;
  let v = core.V ? 1 : 0;

  loop: while (cycles < limit) {
    let op = 0;
    let at = (pc - FLASH) >>> 0;
    if (at < flashLen) op = flash16[at >> 1];
    else {
      at = (pc - RAM) >>> 0;
      if (at >= ramLen) break;
      op = ram16[at >> 1];
    }
    let next = (pc + 2) | 0;
    let cost = 1;
    const d = op & 7;
    const m = (op >> 3) & 7;
    switch (op >> 11) {
      case 0b00000: {
        const shift = (op >> 6) & 31;
        const input = r[m];
        nz = input << shift;
        if (shift) c = (input >>> (32 - shift)) & 1;
        r[d] = nz;
        break;
      }
      case 0b00001: {
        const shift = (op >> 6) & 31;
        const input = r[m];
        nz = shift ? (input >>> shift) | 0 : 0;
        c = (input >>> (shift ? shift - 1 : 31)) & 1;
        r[d] = nz;
        break;
      }
      case 0b00010: {
        const shift = (op >> 6) & 31;
        const input = r[m] | 0;
        nz = shift ? input >> shift : input >> 31;
        c = (input >> (shift ? shift - 1 : 31)) & 1;
        r[d] = nz;
        break;
      }
      case 0b00011: {
        const a = r[m] | 0;
        const n = (op >> 6) & 7;
        const b = op & 0x400 ? n : r[n] | 0;
        if (op & 0x200) {
          nz = (a - b) | 0;
          c = a >>> 0 >= b >>> 0 ? 1 : 0;
          v = ((a ^ b) & (a ^ nz)) >>> 31;
        } else {
          nz = (a + b) | 0;
          c = nz >>> 0 < a >>> 0 ? 1 : 0;
          v = (~(a ^ b) & (a ^ nz)) >>> 31;
        }
        r[d] = nz;
        break;
      }
      case 0b00100:
        nz = op & 255;
        r[(op >> 8) & 7] = nz;
        break;
      case 0b00101:
      case 0b00111: {
        const n = (op >> 8) & 7;
        const a = r[n] | 0;
        const b = op & 255;
        nz = (a - b) | 0;
        c = a >>> 0 >= b ? 1 : 0;
        v = ((a ^ b) & (a ^ nz)) >>> 31;
        if (op & 0x1000) r[n] = nz;
        break;
      }
      case 0b00110: {
        const n = (op >> 8) & 7;
        const a = r[n] | 0;
        const b = op & 255;
        nz = (a + b) | 0;
        c = nz >>> 0 < a >>> 0 ? 1 : 0;
        v = (~(a ^ b) & (a ^ nz)) >>> 31;
        r[n] = nz;
        break;
      }
      case 0b01000: {
        if (op & 0x400) {
          const high = (op >> 3) & 15;
          const low = ((op >> 4) & 8) | d;
          if (op >> 8 === 0x44) {
            // ADD: to the pc or stack pointer only by rp2040js.
            if (low >= 13 || high === 15) break loop;
            r[low] += r[high];
          } else if (op >> 8 === 0x45) {
            if (low === 15 || high === 15) break loop;
            const a = r[low] | 0;
            const b = r[high] | 0;
            nz = (a - b) | 0;
            c = a >>> 0 >= b >>> 0 ? 1 : 0;
            v = ((a ^ b) & (a ^ nz)) >>> 31;
          } else if (op >> 8 === 0x46) {
            if (low >= 13) break loop;
            r[low] = high === 15 ? pc + 4 : r[high];
          } else {
            const target = high === 15 ? pc + 4 : r[high];
            // Returns from exceptions.
            if (target >>> 28 === 15 || d) break loop;
            if (op & 0x80) r[14] = next | 1;
            next = target & ~1;
            cost = 2;
          }
          break;
        }
        const a = r[d] | 0;
        const b = r[m] | 0;
        switch ((op >> 6) & 15) {
          case 0:
            r[d] = nz = a & b;
            break;
          case 1:
            r[d] = nz = a ^ b;
            break;
          case 2: {
            const shift = b & 255;
            if (shift > 31) break loop;
            nz = a << shift;
            if (shift) c = (a >>> (32 - shift)) & 1;
            r[d] = nz;
            break;
          }
          case 3: {
            const shift = b & 255;
            if (shift > 31 || !shift) break loop;
            nz = (a >>> shift) | 0;
            c = (a >>> (shift - 1)) & 1;
            r[d] = nz;
            break;
          }
          case 5: {
            const sum = (a >>> 0) + (b >>> 0) + c;
            nz = sum | 0;
            c = sum > 0xffffffff ? 1 : 0;
            v = (~(a ^ b) & (a ^ nz)) >>> 31;
            r[d] = nz;
            break;
          }
          case 6: {
            const sum = (a >>> 0) + (~b >>> 0) + c;
            nz = sum | 0;
            c = sum > 0xffffffff ? 1 : 0;
            v = ((a ^ b) & (a ^ nz)) >>> 31;
            r[d] = nz;
            break;
          }
          case 8:
            nz = a & b;
            break;
          case 9:
            nz = -b | 0;
            c = b === 0 ? 1 : 0;
            v = (b & nz) >>> 31;
            r[d] = nz;
            break;
          case 10:
            nz = (a - b) | 0;
            c = a >>> 0 >= b >>> 0 ? 1 : 0;
            v = ((a ^ b) & (a ^ nz)) >>> 31;
            break;
          case 11:
            nz = (a + b) | 0;
            c = nz >>> 0 < a >>> 0 ? 1 : 0;
            v = (~(a ^ b) & (a ^ nz)) >>> 31;
            break;
          case 12:
            r[d] = nz = a | b;
            break;
          case 13:
            r[d] = nz = Math.imul(a, b);
            break;
          case 14:
            r[d] = nz = a & ~b;
            break;
          case 15:
            r[d] = nz = ~b;
            break;
          default:
            // Shifts by a register to the right with the sign, and rotations.
            break loop;
        }
        break;
      }
      case 0b01001: {
        at = ((((pc + 4) & ~3) + ((op & 255) << 2)) - FLASH) >>> 0;
        if (at + 3 < flashLen) r[(op >> 8) & 7] = flash32[at >> 2];
        else {
          at = (at + FLASH - RAM) >>> 0;
          if (at + 3 >= ramLen) break loop;
          r[(op >> 8) & 7] = ram32[at >> 2];
        }
        cost = 2;
        break;
      }
      case 0b01010:
      case 0b01011: {
        const address = (r[m] + r[(op >> 6) & 7]) | 0;
        const kind = (op >> 9) & 7;
        at = (address - RAM) >>> 0;
        cost = 2;
        if (at < ramLen) {
          switch (kind) {
            case 0:
              if (at & 3) break loop;
              ram32[at >> 2] = r[d];
              break;
            case 1:
              if (at & 1) break loop;
              ram16[at >> 1] = r[d];
              break;
            case 2:
              ram8[at] = r[d];
              break;
            case 3:
              r[d] = (ram8[at] << 24) >> 24;
              break;
            case 4:
              if (at & 3) break loop;
              r[d] = ram32[at >> 2];
              break;
            case 5:
              if (at & 1) break loop;
              r[d] = ram16[at >> 1];
              break;
            case 6:
              r[d] = ram8[at];
              break;
            default:
              if (at & 1) break loop;
              r[d] = (ram16[at >> 1] << 16) >> 16;
          }
        } else {
          at = (address - FLASH) >>> 0;
          if (at >= flashLen) break loop;
          if (kind === 4 && !(at & 3)) r[d] = flash32[at >> 2];
          else if (kind === 5 && !(at & 1)) r[d] = flash16[at >> 1];
          else if (kind === 6) r[d] = flash8[at];
          else break loop;
        }
        break;
      }
      case 0b01100: {
        at = (r[m] + ((op >> 4) & 0x7c) - RAM) >>> 0;
        if (at >= ramLen || at & 3) break loop;
        ram32[at >> 2] = r[d];
        cost = 2;
        break;
      }
      case 0b01101: {
        const address = (r[m] + ((op >> 4) & 0x7c)) | 0;
        at = (address - RAM) >>> 0;
        if (at < ramLen && !(at & 3)) r[d] = ram32[at >> 2];
        else {
          at = (address - FLASH) >>> 0;
          if (at >= flashLen || at & 3) break loop;
          r[d] = flash32[at >> 2];
        }
        cost = 2;
        break;
      }
      case 0b01110: {
        at = (r[m] + ((op >> 6) & 31) - RAM) >>> 0;
        if (at >= ramLen) break loop;
        ram8[at] = r[d];
        cost = 2;
        break;
      }
      case 0b01111: {
        const address = (r[m] + ((op >> 6) & 31)) | 0;
        at = (address - RAM) >>> 0;
        if (at < ramLen) r[d] = ram8[at];
        else {
          at = (address - FLASH) >>> 0;
          if (at >= flashLen) break loop;
          r[d] = flash8[at];
        }
        cost = 2;
        break;
      }
      case 0b10000: {
        at = (r[m] + ((op >> 5) & 0x3e) - RAM) >>> 0;
        if (at >= ramLen || at & 1) break loop;
        ram16[at >> 1] = r[d];
        cost = 2;
        break;
      }
      case 0b10001: {
        const address = (r[m] + ((op >> 5) & 0x3e)) | 0;
        at = (address - RAM) >>> 0;
        if (at < ramLen && !(at & 1)) r[d] = ram16[at >> 1];
        else {
          at = (address - FLASH) >>> 0;
          if (at >= flashLen || at & 1) break loop;
          r[d] = flash16[at >> 1];
        }
        cost = 2;
        break;
      }
      case 0b10010:
        at = (r[13] + ((op & 255) << 2) - RAM) >>> 0;
        if (at >= ramLen) break loop;
        ram32[at >> 2] = r[(op >> 8) & 7];
        cost = 2;
        break;
      case 0b10011:
        at = (r[13] + ((op & 255) << 2) - RAM) >>> 0;
        if (at >= ramLen) break loop;
        r[(op >> 8) & 7] = ram32[at >> 2];
        cost = 2;
        break;
      case 0b10100:
        r[(op >> 8) & 7] = (pc & ~3) + 4 + ((op & 255) << 2);
        break;
      case 0b10101:
        r[(op >> 8) & 7] = r[13] + ((op & 255) << 2);
        break;
      case 0b10110: {
        if (op >> 9 === 0b1011010) {
          let list = op & 0x1ff;
          let count = 0;
          for (let bits = list; bits; bits &= bits - 1) count += 1;
          at = (r[13] - 4 * count - RAM) >>> 0;
          if (at + 4 * count > ramLen) break loop;
          r[13] -= 4 * count;
          for (let at32 = at >> 2, i = 0; list; i++, list >>= 1) {
            if (list & 1) ram32[at32++] = r[i === 8 ? 14 : i];
          }
          // As rp2040js counts: not for the link register.
          cost = 1 + count - ((op >> 8) & 1);
        } else if (op >> 8 === 0xb0) {
          const step = (op & 0x7f) << 2;
          r[13] += op & 0x80 ? -step : step;
        } else if (op >> 8 === 0xb2) {
          const input = r[m];
          const kind = (op >> 6) & 3;
          if (kind === 0) r[d] = (input << 16) >> 16;
          else if (kind === 1) r[d] = (input << 24) >> 24;
          else if (kind === 2) r[d] = input & 0xffff;
          else r[d] = input & 0xff;
        } else break loop;
        break;
      }
      case 0b10111: {
        if (op >> 9 === 0b1011110) {
          let list = op & 0xff;
          at = (r[13] - RAM) >>> 0;
          let at32 = at >> 2;
          let count = 0;
          for (let bits = list; bits; bits &= bits - 1) count += 1;
          if (at + 4 * count + 4 > ramLen) break loop;
          cost = 1 + count;
          if (op & 0x100) {
            const target = ram32[at32 + count];
            if (target >>> 28 === 15) break loop;
            next = target & ~1;
            cost += 2;
          }
          for (let i = 0; list; i++, list >>= 1) if (list & 1) r[i] = ram32[at32++];
          r[13] += 4 * (count + ((op >> 8) & 1));
        } else if (op >> 6 === 0b1011101000) {
          const input = r[m];
          r[d] = (input << 24) | ((input & 0xff00) << 8) | ((input >>> 8) & 0xff00) | (input >>> 24);
        } else if (op !== 0xbf00) break loop;
        break;
      }
      case 0b11000:
      case 0b11001: {
        const n = (op >> 8) & 7;
        let list = op & 255;
        at = (r[n] - RAM) >>> 0;
        if (at + 32 > ramLen || at & 3) break loop;
        let at32 = at >> 2;
        for (let i = 0; list; i++, list >>= 1) {
          if (!(list & 1)) continue;
          if (op & 0x800) r[i] = ram32[at32];
          else ram32[at32] = r[i];
          at32 += 1;
          cost += 1;
        }
        if (!(op & (1 << n))) r[n] = RAM + (at32 << 2);
        break;
      }
      case 0b11010:
      case 0b11011: {
        let taken = false;
        switch ((op >> 8) & 15) {
          case 0:
            taken = nz === 0;
            break;
          case 1:
            taken = nz !== 0;
            break;
          case 2:
            taken = c === 1;
            break;
          case 3:
            taken = c === 0;
            break;
          case 4:
            taken = nz < 0;
            break;
          case 5:
            taken = nz >= 0;
            break;
          case 6:
            taken = v === 1;
            break;
          case 7:
            taken = v === 0;
            break;
          case 8:
            taken = c === 1 && nz !== 0;
            break;
          case 9:
            taken = c === 0 || nz === 0;
            break;
          case 10:
            taken = nz < 0 === (v === 1);
            break;
          case 11:
            taken = nz < 0 !== (v === 1);
            break;
          case 12:
            taken = nz !== 0 && nz < 0 === (v === 1);
            break;
          case 13:
            taken = nz === 0 || nz < 0 !== (v === 1);
            break;
          default:
            break loop;
        }
        if (taken) {
          next = (pc + 4 + ((op << 24) >> 23)) | 0;
          cost = 2;
        }
        break;
      }
      case 0b11100:
        next = (pc + 4 + ((op << 21) >> 20)) | 0;
        cost = 2;
        break;
      case 0b11110: {
        at = (next - FLASH) >>> 0;
        let low = 0;
        if (at < flashLen) low = flash16[at >> 1];
        else {
          at = (next - RAM) >>> 0;
          if (at >= ramLen) break loop;
          low = ram16[at >> 1];
        }
        if ((low & 0xd000) !== 0xd000) break loop;
        // BL.
        const s = (op >> 10) & 1;
        const i1 = 1 - (s ^ ((low >> 13) & 1));
        const i2 = 1 - (s ^ ((low >> 11) & 1));
        const high = (-s << 24) | (i1 << 23) | (i2 << 22);
        r[14] = (pc + 4) | 1;
        next = (pc + 4 + (high | ((op & 0x3ff) << 12) | ((low & 0x7ff) << 1))) | 0;
        cost = 3;
        break;
      }
      default:
        break loop;
    }
    pc = next;
    cycles += cost;
  }
  r[15] = pc;
  core.N = nz < 0;
  core.Z = nz === 0;
  core.C = c === 1;
  core.V = v === 1;
  core.cycles += cycles;
  return cycles;
}
