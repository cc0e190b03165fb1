// Images: a UF2, or the flash from its start.
import { readFileSync } from "node:fs";
import { SECTOR } from "./flash.mjs";

const MAGICS = [0x0a324655, 0x9e5d5157, 0x0ab16f30];
const RP2040 = 0xe48bff56;
const FLASH = 0x10000000;

// The pieces of an image: where in flash, and bytes.
export function readImage(path, size) {
  const bytes = readFileSync(path);
  const pieces = bytes.length >= 4 && bytes.readUInt32LE(0) === MAGICS[0] ? uf2(path, bytes) : [[0, bytes]];
  for (const [offset, data] of pieces) {
    if (offset < 0 || offset + data.length > size) throw new Error(`${path}: a block lies outside of flash`);
  }
  return pieces;
}

function uf2(path, bytes) {
  const pieces = [];
  if (bytes.length % 512) throw new Error(`${path}: truncated`);
  for (let at = 0; at < bytes.length; at += 512) {
    const word = (index) => bytes.readUInt32LE(at + index);
    if (word(0) !== MAGICS[0] || word(4) !== MAGICS[1] || word(508) !== MAGICS[2]) {
      throw new Error(`${path}: block ${at / 512} is no UF2 block`);
    }
    if (word(28) !== RP2040) throw new Error(`${path}: not for the RP2040, but family ${word(28).toString(16)}`);
    if (word(16) > 476) throw new Error(`${path}: block ${at / 512} is too long`);
    pieces.push([word(12) - FLASH, bytes.subarray(at + 32, at + 32 + word(16))]);
  }
  return pieces;
}

// Writes an image as the boot ROM's drive does: the sectors it touches are erased.
export function writeImage(flash, path) {
  const pieces = readImage(path, flash.bytes.length);
  const touched = new Set();
  for (const [offset, data] of pieces) {
    for (let at = offset - (offset % SECTOR); at < offset + data.length; at += SECTOR) touched.add(at);
  }
  for (const at of touched) flash.bytes.fill(0xff, at, at + SECTOR);
  for (const [offset, data] of pieces) flash.bytes.set(data, offset);
  flash.save();
}
