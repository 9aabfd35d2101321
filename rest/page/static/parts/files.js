/** Pictures as people give them: chosen, dropped with their folders, pasted. */

const PICTURE = /\.(jpe?g|jfif|png|gif|bmp|webp|tiff?|avif|heic|heif)$/i;

/** A picture to be sent, and its name. */
const entry = (file, name) => ({ file, name });

/** Whether a file looks like a picture; the server looks at its bytes. */
export const isPicture = (file) => file.type.startsWith("image/") || PICTURE.test(file.name);

/** Files of an `<input>`, with the folders that they are in. */
export function chosen(files) {
  return [...files].map((file) => entry(file, file.webkitRelativePath || file.name));
}

/** A photo just taken: phones call each of them the same. */
export function taken(files) {
  return [...files].map((file) => entry(file, stamped("photo", file)));
}

/** Pictures on the clipboard. */
export function pasted(clipboard) {
  return [...clipboard.files].map((file) => entry(file, /^image\.\w+$/.test(file.name) ? stamped("pasted", file) : file.name));
}

/** Everything that was dropped, folders with all that is in them. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return chosen(transfer.files);
  return (await Promise.all(entries.map(inside))).flat();
}

async function inside(found) {
  if (found.isFile) {
    const file = await new Promise((resolve, reject) => found.file(resolve, reject));
    return [entry(file, found.fullPath.replace(/^\//, ""))];
  }
  const reader = found.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // 100 at most
    if (!some.length) break;
    all.push(...some);
  }
  return (await Promise.all(all.map(inside))).flat();
}

function stamped(word, file) {
  const now = new Date();
  const time = new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return `${word}-${time}.${file.name.split(".").pop()}`;
}
