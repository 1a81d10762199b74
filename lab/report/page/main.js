"use strict";
// The page as a whole: its views, its theme, its start.

const VIEWS = [["overview", "Overview"], ["ladder", "Ladder"], ["tcp", "TCP"], ["events", "Events"], ["sockets", "Sockets"]];

// report is for tests, and for whoever opens the console.
const report = { ready: false, errors: [] };
addEventListener("error", (e) => fail(e.message));
addEventListener("unhandledrejection", (e) => fail(String(e.reason)));

function fail(text) {
  report.errors.push(text);
  const notice = document.getElementById("notice");
  notice.hidden = false;
  notice.textContent = "This page could not be drawn: " + text;
}

function socketTables(doc) {
  if (!doc.tables.length) return el("p", { class: "empty" }, "No table of sockets was recorded.");
  return el("div", { class: "overview" }, doc.tables.map((t) => el("section", {}, el("h2", {}, nodeName(doc, t.Node)),
    t.Text.trim() ? el("pre", { class: "scroll", tabindex: 0 }, t.Text) : el("p", { class: "dim" }, "No sockets."))));
}

// setTheme is "light", "dark", or "" for the system's.
function setTheme(theme) {
  const root = document.documentElement, b = document.getElementById("theme");
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  b.textContent = { light: "☀ Light", dark: "☾ Dark", "": "◐ System" }[theme];
  themeChanged();
  report.ladder?.redraw();
  if (report.view === "tcp") report.plots.draw();
  else if (report.plots) report.plots.stale = true;
}

function nextTheme() {
  const now = document.documentElement.dataset.theme || "";
  setTheme({ "": "light", light: "dark", dark: "" }[now]);
}

function show(view) {
  if (!VIEWS.some(([id]) => id === view)) view = report.first;
  report.view = view;
  for (const [id] of VIEWS) {
    document.getElementById("view-" + id).hidden = id !== view;
    const tab = document.getElementById("tab-" + id);
    tab.setAttribute("aria-selected", id === view ? "true" : "false");
    tab.tabIndex = id === view ? 0 : -1;
  }
  if (location.hash !== "#" + view) history.replaceState(null, "", "#" + view);
  if (view === "tcp") {
    report.plots.shown();
    if (report.plots.stale) report.plots.draw();
    report.plots.stale = false;
  }
}

function buildTabs() {
  const tabs = document.getElementById("tabs");
  for (const [id, text] of VIEWS) {
    tabs.append(el("button", { type: "button", role: "tab", id: "tab-" + id, "aria-controls": "view-" + id, onclick: () => show(id) }, text));
  }
  tabs.addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const k = VIEWS.findIndex(([id]) => id === report.view), next = VIEWS[(k + step + VIEWS.length) % VIEWS.length][0];
    show(next);
    document.getElementById("tab-" + next).focus();
  });
}

function head(doc) {
  document.title = doc.title || "Network";
  document.getElementById("title").textContent = (doc.failedRun ? "✗ " : "") + (doc.title || "Network");
  const facts = [`seed ${doc.seed}`, duration(doc.length) + (doc.start ? ` from ${doc.start}` : ""), plural(doc.packets.n, "packet")];
  document.getElementById("facts").textContent = facts.join(" · ");
  if (!doc.truncated.length) return;
  const notice = document.getElementById("notice");
  notice.hidden = false;
  notice.textContent = "Not all is here: " + doc.truncated.join("; ") + ".";
}

async function start() {
  setTheme("");
  document.getElementById("theme").addEventListener("click", nextTheme);
  if (typeof DecompressionStream === "undefined") return fail("the browser is too old (it has no DecompressionStream)");
  const doc = await unpack();
  const filter = new Filter(doc), detail = new Detail(doc, (i) => ladder.reveal(i), () => ladder.select(-1)), ladder = new Ladder(doc, filter, (i) => detail.show(i));
  const reveal = (i) => {
    show("ladder");
    ladder.reveal(i);
    ladder.box.focus();
  };
  const plots = new Plots(doc, reveal), events = new Events(doc, ladder, show);
  Object.assign(report, { doc, filter, ladder, plots, events, detail, first: "overview" });
  head(doc);
  buildTabs();
  const bodies = { overview: overview(doc, show), ladder: el("div", { class: "split" }, filterPanel(doc, filter), ladder.root, detail.root),
    tcp: plots.root, events: events.root, sockets: socketTables(doc) };
  for (const [id, text] of VIEWS) {
    document.getElementById("views").append(el("section", { id: "view-" + id, role: "tabpanel", "aria-labelledby": "tab-" + id, hidden: true },
      el("h2", { class: "printed" }, text), bodies[id]));
  }
  show(location.hash.slice(1));
  addEventListener("hashchange", () => show(location.hash.slice(1)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(document.documentElement.dataset.theme || ""));
  printing();
  report.ready = true;
}

// printing shows all views, on white paper.
function printing() {
  let was = "";
  addEventListener("beforeprint", () => {
    was = document.documentElement.dataset.theme || "";
    document.body.classList.add("print");
    setTheme("light");
    report.plots.shown();
    report.plots.draw();
    report.ladder.resized();
    report.ladder.draw();
    report.events.list.draw();
  });
  addEventListener("afterprint", () => {
    document.body.classList.remove("print");
    setTheme(was);
    report.ladder.resized();
  });
}

start();
