// An excerpt from the middle of a file is indented as a whole. That indentation says nothing on a
// page and costs columns, so it's taken away. Without JavaScript it stays.
"use strict";

for (const code of document.querySelectorAll("pre code.language-rust")) {
  const lines = code.textContent.split("\n").filter((line) => line.trim() !== "");
  const common = Math.min(...lines.map((line) => line.search(/\S/)));
  if (!Number.isFinite(common) || common === 0) {
    continue;
  }
  // The highlighter has made many text nodes of the listing; lines go on from one to the next.
  let left = common;
  const nodes = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    let text = "";
    for (const char of nodes.currentNode.data) {
      if (char === " " && left > 0) {
        left -= 1;
      } else {
        text += char;
        left = char === "\n" ? common : 0;
      }
    }
    nodes.currentNode.data = text;
  }
}
