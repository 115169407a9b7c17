// Bodies of any bytes: as text where they are text, as a table of bytes where they are not, and back without a change.

const WIDTH = 16;

/** The bytes as text, or null when they are not UTF-8 or contain NUL, which no field can hold. */
export function asText(bytes) {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

export function fromHex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Sixteen bytes a line: where they are, what they are, and those that can be printed. */
export function hexdump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const row = [...bytes.subarray(at, at + WIDTH)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const printed = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${hex.padEnd(3 * WIDTH)} ${printed}`);
  }
  return lines.join("\n");
}

/**
 * The text for a body whose field held `edited`. A field knows only one end of line: what was not
 * touched keeps its own, and so does a text that had only CRLF.
 */
export function withItsLineEnds(edited, raw) {
  const ends = new Set(raw.match(/\r\n|\r|\n/g));
  if (edited === raw.replace(/\r\n?/g, "\n")) return raw;
  return ends.size === 1 && ends.has("\r\n") ? edited.replace(/\n/g, "\r\n") : edited;
}

/** Whether an edit cannot keep the ends of lines as they are. */
export function mixesLineEnds(raw) {
  const ends = new Set(raw.match(/\r\n|\r|\n/g));
  return ends.size > 1 || ends.has("\r");
}

/** Characters that are not seen, or that turn the direction of others: `U+202E` and how many. */
export function unseen(text) {
  const found = new Map();
  for (const [character] of text.matchAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g)) {
    const name = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  return [...found].map(([name, n]) => ({ name, n }));
}
