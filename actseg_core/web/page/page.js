// The page of actseg: one websocket, one canvas. No library, no request to anywhere else.
"use strict";

const RECORD_S = 10;
const SILENT_MS = 3000;
const RETRY_MS = [500, 1000, 2000, 3000];
const HISTORY_KEPT = 30;
const WANTS_TOKEN = 4001;
const FULL = 1013;
const EVIDENCE_RANGE = 6; // log-odds at the end of a bar

const at = (id) => document.getElementById(id);
const canvas = at("picture");
const pen = canvas.getContext("2d");

const memory = {
  read(key, otherwise) {
    try { return JSON.parse(localStorage.getItem(`actseg.${key}`)) ?? otherwise; } catch { return otherwise; }
  },
  write(key, value) {
    try { localStorage.setItem(`actseg.${key}`, JSON.stringify(value)); } catch { /* private mode */ }
  },
};

const state = {
  socket: null,
  token: location.hash.slice(1),
  tries: 0,
  heardMs: 0,
  run: "",
  status: null,
  frame: null, // {facts, bitmap}
  calls: new Map(),
  nextCall: 1,
  asked: [], // sentences that were active when the link broke
  gone: [], // those that the program has lost by its restart
  history: memory.read("history", []),
  place: -1,
  draft: "",
  drawnMs: [],
  told: "",
  recorder: null,
  isHeld: false, // the server says that there is no room
};

// ---------------------------------------------------------------- the link to the server
function connect() {
  if (state.socket) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}${location.pathname.replace(/[^/]*$/, "")}live`);
  socket.binaryType = "arraybuffer";
  state.socket = socket;
  state.heardMs = performance.now();
  socket.onopen = () => say({ do: "token", token: state.token }); // empty: is one wanted?
  socket.onmessage = (event) => {
    state.heardMs = performance.now();
    if (event.data instanceof ArrayBuffer) takePicture(event.data);
    else take(JSON.parse(event.data));
  };
  socket.onclose = (event) => lost(event);
}

function lost(event) {
  state.socket = null;
  for (const done of state.calls.values()) done({ error: "the connection was lost" });
  state.calls.clear();
  if (event.code === WANTS_TOKEN) {
    showLink("bad", "locked");
    openDoor();
    return;
  }
  state.isHeld = event.code === FULL;
  showLink("bad", state.isHeld ? "full" : "no connection");
  render();
  const wait = state.isHeld ? 5000 : RETRY_MS[Math.min(state.tries++, RETRY_MS.length - 1)];
  setTimeout(connect, wait);
}

function say(message) {
  if (state.socket?.readyState === WebSocket.OPEN) state.socket.send(JSON.stringify(message));
}

function call(message) {
  if (state.socket?.readyState !== WebSocket.OPEN) {
    return Promise.resolve({ error: "not connected; the page tries again by itself" });
  }
  const number = state.nextCall++;
  return new Promise((done) => {
    state.calls.set(number, done);
    say({ ...message, call: number });
  });
}

function take(message) {
  if (message.kind === "hello") {
    const isNew = state.run && state.run !== message.run;
    state.run = message.run;
    state.tries = 0;
    state.isHeld = false;
    state.gone = isNew ? state.asked : [];
    at("name").textContent = message.name;
    document.title = `${message.name} – actseg`;
    showLink("good", "live");
    say({ do: "watch", on: !document.hidden });
    if (isNew) announce("The program was started again.");
  } else if (message.kind === "status") {
    state.status = message;
    if (message.sentences.length) {
      state.asked = message.sentences.map((item) => item.text);
      state.gone = [];
    }
    if (!message.is_answer) hideMasks();
    render();
  } else if (message.kind === "reply") {
    state.calls.get(message.call)?.(message);
    state.calls.delete(message.call);
  } else if (message.kind === "refused") {
    sayBack(message.why, "bad");
  }
}

// ---------------------------------------------------------------------------- the picture
async function takePicture(buffer) {
  const length = new DataView(buffer).getUint32(0);
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const socket = state.socket;
  try {
    const blob = new Blob([new Uint8Array(buffer, 4 + length)], { type: "image/jpeg" });
    const bitmap = await createImageBitmap(blob);
    state.frame?.bitmap.close();
    state.frame = { facts, bitmap };
    const now = performance.now();
    state.drawnMs = [...state.drawnMs.filter((then) => now - then < 3000), now];
    draw();
    if (facts.answers.length) renderCards();
  } finally {
    if (socket === state.socket) say({ do: "got", number: facts.number });
  }
}

function draw() {
  if (!state.frame) return;
  const { facts, bitmap } = state.frame;
  if (canvas.width !== facts.width || canvas.height !== facts.height) {
    canvas.width = facts.width;
    canvas.height = facts.height;
    at("snapshot").disabled = false;
    at("record").disabled = !canRecord();
    canvas.classList.toggle("grown", facts.width < 900 && facts.width > facts.height);
  }
  pen.drawImage(bitmap, 0, 0, facts.width, facts.height);
  const unit = Math.max(facts.width, facts.height) / 640;
  let line = 0;
  for (const answer of facts.answers) {
    const sentence = state.status?.sentences.find((item) => item.id === answer.id);
    if (!sentence) continue;
    if (at("show-masks").checked) drawMask(answer, sentence.colour, unit);
    if (at("show-boxes").checked && answer.found) drawBoxes(answer, sentence.colour, unit);
    if (at("show-names").checked) drawCaption(line++, answer, sentence, unit);
  }
  canvas.setAttribute("aria-label", describe(facts));
}

function drawMask(answer, colour, unit) {
  const path = new Path2D();
  for (const rim of answer.contours) {
    for (let i = 0; i < rim.length; i += 2) path[i ? "lineTo" : "moveTo"](rim[i], rim[i + 1]);
    path.closePath();
  }
  pen.save();
  pen.fillStyle = colour;
  pen.globalAlpha = 0.38;
  pen.fill(path, "evenodd");
  pen.globalAlpha = 1;
  pen.lineJoin = "round";
  pen.strokeStyle = colour;
  pen.lineWidth = 2 * unit;
  pen.stroke(path);
  pen.restore();
}

function drawBoxes(answer, colour, unit) {
  pen.font = `600 ${12 * unit}px system-ui, sans-serif`;
  for (const actor of answer.actors) {
    const [x, y, width, height] = actor.box;
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5 * unit;
    pen.strokeRect(x, y, width, height);
    label(`#${actor.track}`, x, Math.max(y, 16 * unit), colour, unit);
  }
}

function drawCaption(line, answer, sentence, unit) {
  pen.font = `600 ${14 * unit}px system-ui, sans-serif`;
  const sure = `${Math.round(answer.confidence * 100)} %`;
  const text = answer.found ? `${sentence.text}  ${sure}` : `${sentence.text}  not found`;
  label(text, 8 * unit, (28 + 24 * line) * unit, sentence.colour, unit);
}

function label(text, x, y, colour, unit) {
  const size = parseFloat(pen.font.match(/([\d.]+)px/)[1]);
  pen.fillStyle = "rgb(10 12 14 / 0.72)";
  pen.fillRect(x - 3 * unit, y - size * 1.05, pen.measureText(text).width + 6 * unit, size * 1.4);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

function describe(facts) {
  const told = facts.answers.map((answer) => {
    const text = state.status?.sentences.find((item) => item.id === answer.id)?.text ?? answer.id;
    if (!answer.found) return `${text}: not found`;
    const box = answer.actors[0]?.box;
    return box ? `${text}: found, ${placeOf(box, facts)}` : `${text}: found`;
  });
  return `Live picture. ${told.join(". ") || "Nothing is marked."}`;
}

function placeOf([x, y, width, height], facts) {
  const across = (x + width / 2) / facts.width;
  const down = (y + height / 2) / facts.height;
  const side = across < 0.36 ? "left" : across > 0.64 ? "right" : "middle";
  const height3 = down < 0.33 ? "upper " : down > 0.67 ? "lower " : "";
  return `${height3}${side} of the picture`;
}

// -------------------------------------------------------------------- state and sentences
function render() {
  renderBanner();
  renderCards();
  renderNumbers();
}

function silentFor() {
  return performance.now() - state.heardMs;
}

function trouble() {
  if (!state.socket || state.socket.readyState !== WebSocket.OPEN || !state.run) {
    if (state.isHeld) return ["Too many browsers look already", "This page tries again every 5 seconds."];
    if (!state.run) return ["Connecting", ""];
    return ["No connection", "The program that serves this page has ended or cannot be reached. This page tries again by itself."];
  }
  if (silentFor() > SILENT_MS) return ["Nothing heard", `for ${Math.round(silentFor() / 1000)} s; the program or the network is stuck.`];
  const status = state.status;
  if (!status) return ["Connecting", ""];
  if (state.gone.length && !status.sentences.length) {
    return ["It was started again", "and has forgotten the sentences."];
  }
  if (status.is_answer) return null;
  const details = [status.advice, status.detail].filter(Boolean);
  if (status.state === "IDLE") return state.frame ? null : [status.title, status.advice];
  return [status.title, details.join(" ")];
}

function renderBanner() {
  const told = trouble();
  const isOld = Boolean(told) && (!state.socket || silentFor() > SILENT_MS || Boolean(state.status?.is_fault));
  at("frame").dataset.old = isOld ? "yes" : "no";
  at("banner").hidden = !told;
  at("again").hidden = !(state.gone.length && state.socket);
  if (told) {
    setText(at("banner-title"), told[0]);
    setText(at("banner-text"), told[1]);
  }
  if (isOld) hideMasks();
  const hint = state.status?.hint ?? "";
  at("warning").hidden = !hint;
  setText(at("warning"), hint);
}

function hideMasks() { // never an old mask
  if (!state.frame?.facts.answers.length) return;
  state.frame.facts.answers = [];
  draw();
}

function renderCards() {
  const sentences = state.status?.sentences ?? [];
  const list = at("cards");
  at("none").hidden = sentences.length > 0;
  at("clear").disabled = !sentences.length;
  const here = new Map([...list.children].map((card) => [card.dataset.id, card]));
  for (const [id, card] of here) if (!sentences.some((item) => item.id === id)) card.remove();
  for (const sentence of sentences) {
    const card = here.get(sentence.id) ?? newCard(sentence);
    if (!card.isConnected) list.append(card);
    fillCard(card, sentence);
  }
  tellChanges(sentences);
}

function newCard(sentence) {
  const card = at("card").content.firstElementChild.cloneNode(true);
  card.dataset.id = sentence.id;
  card.style.setProperty("--colour", sentence.colour);
  const remove = card.querySelector(".remove");
  remove.setAttribute("aria-label", `Remove: ${sentence.text}`);
  remove.addEventListener("click", async () => {
    at("sentence").focus();
    report(await call({ do: "remove", id: sentence.id }));
  });
  return card;
}

function fillCard(card, sentence) {
  const isLive = state.socket && silentFor() < SILENT_MS;
  const answer = state.frame?.facts.answers.find((item) => item.id === sentence.id);
  const isAnswer = isLive && (sentence.state === "FOUND" || sentence.state === "NOT_FOUND");
  setText(card.querySelector(".text"), sentence.text);
  const badge = card.querySelector(".badge");
  setText(badge, isLive ? sentence.title : "Unknown");
  badge.dataset.kind = !isLive ? "bad" : sentence.state === "FOUND" ? "good" : sentence.state === "NOT_FOUND" ? "bad" : "wait";
  const sure = isAnswer ? sentence.confidence : 0;
  const meter = card.querySelector(".confidence");
  meter.hidden = !isAnswer;
  meter.value = sure;
  meter.setAttribute("aria-label", `Confidence ${Math.round(sure * 100)} percent`);
  setText(card.querySelector(".percent"), isAnswer ? `${Math.round(sure * 100)} %` : "");
  const tracks = isAnswer && sentence.state === "FOUND" ? (answer?.actors ?? []).map((actor) => `#${actor.track}`) : [];
  const more = [
    tracks.length ? `track ${tracks.join(", ")}` : "",
    isAnswer && sentence.distance_m !== null ? `${sentence.distance_m.toFixed(2)} m away` : "",
    answer?.moved_ms ? `seen ${answer.moved_ms} ms before` : "",
  ];
  setText(card.querySelector(".more"), more.filter(Boolean).join(" · "));
  fillEvidence(card.querySelector(".evidence"), isAnswer ? answer?.actors[0]?.evidence ?? [] : []);
  const advice = [isAnswer ? answer?.advice ?? "" : "", sentence.shortened];
  setText(card.querySelector(".advice"), advice.filter(Boolean).join(" "));
}

const PARTS = { who: "who", looks: "looks", where: "where", does: "does", beside: "beside" };

function fillEvidence(list, evidence) {
  while (list.children.length > evidence.length) list.lastChild.remove();
  evidence.forEach((item, index) => {
    const line = list.children[index] ?? list.appendChild(newEvidence());
    const [words, bar, value] = line.children;
    setText(words, item.words || PARTS[item.part] || item.part);
    words.title = `${PARTS[item.part] ?? item.part}: ${item.words}`;
    const share = Math.max(-1, Math.min(1, item.log_odds / EVIDENCE_RANGE)) * 50;
    const mark = bar.firstChild;
    mark.className = share < 0 ? "against" : "";
    mark.style.left = `${share < 0 ? 50 + share : 50}%`;
    mark.style.width = `${Math.abs(share)}%`;
    setText(value, `${item.log_odds < 0 ? "−" : "+"}${Math.abs(item.log_odds).toFixed(1)}`);
  });
}

function newEvidence() {
  const line = document.createElement("li");
  const [words, bar, value] = ["words", "bar", "value"].map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  });
  bar.setAttribute("aria-hidden", "true");
  bar.append(document.createElement("i"));
  line.append(words, bar, value);
  return line;
}

function renderNumbers() {
  const status = state.status;
  const now = performance.now();
  const shown = state.drawnMs.filter((then) => now - then < 3000);
  const span = shown.length > 1 ? (shown.at(-1) - shown[0]) / 1000 : 0;
  setText(at("shown-hz"), hertz(span > 0 ? (shown.length - 1) / span : 0));
  if (!status) return;
  setText(at("camera-hz"), hertz(status.camera_hz));
  setText(at("answer-hz"), hertz(status.answer_hz));
  const [middle, high] = status.latency_ms;
  setText(at("latency"), middle === null ? "–" : `${Math.round(middle)} ms`);
  setText(at("latency-high"), high === null ? "–" : `${Math.round(high)} ms`);
  const share = status.received ? (100 * status.dropped) / status.received : 0;
  setText(at("dropped"), `${share.toFixed(0)} %`);
}

function tellChanges(sentences) {
  const told = sentences.map((item) => `${item.text}: ${item.title}`).join(". ");
  if (told !== state.told) {
    state.told = told;
    if (sentences.some((item) => item.state === "FOUND" || item.state === "NOT_FOUND")) announce(told);
  }
}

let announcing = 0;
function announce(text) { // not more than one in two seconds, or a screen reader never gets to the end
  clearTimeout(announcing);
  announcing = setTimeout(() => setText(at("news"), text), 700);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function hertz(value) {
  return value ? `${value.toFixed(1)} Hz` : "–";
}

function showLink(kind, text) {
  at("link").dataset.kind = kind;
  setText(at("link"), text);
}

// ------------------------------------------------------------------------------- asking
async function ask(kind) {
  const box = at("sentence");
  const text = box.value.trim();
  if (!text) {
    sayBack("Type what to look for first, such as: the person on the left.", "wait");
    box.focus();
    return;
  }
  const reply = await call({ do: kind, text });
  if (report(reply)) {
    remember(text);
    box.value = "";
    state.place = -1;
  }
}

function report(reply) {
  sayBack(reply.error || reply.remark || "", reply.error ? "bad" : "wait");
  return !reply.error;
}

function sayBack(text, kind) {
  const said = at("said");
  setText(said, text);
  said.dataset.kind = kind;
  if (!text) delete said.dataset.kind;
}

function remember(text) {
  state.history = [text, ...state.history.filter((other) => other !== text)].slice(0, HISTORY_KEPT);
  memory.write("history", state.history);
  renderHistory();
}

function renderHistory() {
  const list = at("history");
  list.replaceChildren(...state.history.map((text) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      at("sentence").value = text;
      at("sentence").focus();
    });
    item.append(button);
    return item;
  }));
  at("earlier").hidden = !state.history.length;
}

function recall(step) {
  const box = at("sentence");
  if (state.place === -1) state.draft = box.value;
  const place = Math.max(-1, Math.min(state.history.length - 1, state.place + step));
  state.place = place;
  box.value = place === -1 ? state.draft : state.history[place];
}

async function askAgain() {
  const [first, ...others] = state.gone;
  if (report(await call({ do: "ask", text: first }))) {
    for (const text of others) report(await call({ do: "add", text }));
  }
}

// ------------------------------------------------------------------------- downloads
function save(blob, ending) {
  const link = document.createElement("a");
  const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
  link.href = URL.createObjectURL(blob);
  link.download = `actseg-${time}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function canRecord() {
  return Boolean(canvas.captureStream && window.MediaRecorder);
}

function record() {
  if (state.recorder) return;
  const kind = ["video/mp4", "video/webm;codecs=vp9", "video/webm"].find((name) => MediaRecorder.isTypeSupported(name));
  const pieces = [];
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: kind, videoBitsPerSecond: 6e6 });
  state.recorder = recorder;
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.onstop = () => {
    state.recorder = null;
    at("recording").hidden = true;
    at("record").disabled = false;
    save(new Blob(pieces, { type: recorder.mimeType }), recorder.mimeType.startsWith("video/mp4") ? "mp4" : "webm");
    announce("The recording is in your downloads.");
  };
  recorder.start(500);
  at("record").disabled = true;
  at("recording").hidden = false;
  announce("Recording for ten seconds.");
  let left = RECORD_S;
  setText(at("left"), String(left));
  const clock = setInterval(() => {
    left -= 1;
    setText(at("left"), String(Math.max(0, left)));
    if (left <= 0) {
      clearInterval(clock);
      recorder.stop();
    }
  }, 1000);
}

// ------------------------------------------------------------------------------ the rest
function openDoor() {
  const door = at("door");
  if (!door.open) door.showModal();
  at("token").focus();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  setText(at("theme"), theme === "dark" ? "Light" : "Dark");
  at("theme").setAttribute("aria-label", theme === "dark" ? "Use light colours" : "Use dark colours");
}

function begin() {
  const wishes = matchMedia("(prefers-color-scheme: dark)");
  setTheme(memory.read("theme", "") || (wishes.matches ? "dark" : "light"));
  wishes.addEventListener("change", () => {
    if (!memory.read("theme", "")) setTheme(wishes.matches ? "dark" : "light");
  });
  at("theme").addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    memory.write("theme", theme);
    setTheme(theme);
  });
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    ask("ask");
  });
  at("add").addEventListener("click", () => ask("add"));
  at("clear").addEventListener("click", async () => report(await call({ do: "ask", text: "" })));
  at("again").addEventListener("click", askAgain);
  at("sentence").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      ask("add");
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      recall(event.key === "ArrowUp" ? 1 : -1);
    }
  });
  at("forget").addEventListener("click", () => {
    state.history = [];
    memory.write("history", []);
    renderHistory();
    at("sentence").focus();
  });
  at("snapshot").addEventListener("click", () => canvas.toBlob((blob) => save(blob, "png"), "image/png"));
  at("record").addEventListener("click", record);
  for (const name of ["masks", "boxes", "names"]) {
    const box = at(`show-${name}`);
    box.checked = memory.read(name, box.checked);
    box.addEventListener("change", () => {
      memory.write(name, box.checked);
      draw();
    });
  }
  at("knock").addEventListener("submit", () => {
    state.token = at("token").value.trim();
    at("token").value = "";
    connect();
  });
  at("door").addEventListener("cancel", (event) => event.preventDefault());
  document.addEventListener("visibilitychange", () => say({ do: "watch", on: !document.hidden }));
  renderHistory();
  setInterval(render, 500);
  connect();
}

begin();
