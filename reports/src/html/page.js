"use strict";
// Filters and lists the cases. What is chosen stands in the address, so that it can be kept and passed on.
// All texts are put in as texts.
(() => {
  const STEP = 50;
  const byId = id => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // The axes: those of the cases, how a case stands, and the group of failures that it is in.
  const axes = [...data.axes];
  const STANDING = axes.push({ name: "standing", values: data.standings.map(([word]) => word) }) - 1;
  const groups = data.cases.reduce((most, row) => Math.max(most, row[4]), 0);
  const GROUP = axes.push({ name: "group", values: Array.from({ length: groups + 1 }, (_, number) => String(number)) }) - 1;
  const looks = data.looks.map(([conditions, kinds, reasons]) => {
    const tally = data.kinds.map(() => 0);
    for (const kind of kinds) tally[kind] += 1;
    const why = reasons.map(([, reason]) => data.reasons[reason]).join("\n");
    return { conditions, kinds, reasons: new Map(reasons), tally, why: why.toLowerCase() };
  });
  const [PASS, SKIPPED] = ["pass", "skipped"].map(word => data.kinds.indexOf(word));
  // The reason that says most: of a failure, else of what was not seen, else of what passes or was skipped.
  const first = ({ kinds, reasons }) => {
    const weight = place => kinds[place] === SKIPPED ? 9 : kinds[place] === PASS ? 8 : kinds[place];
    const places = [...reasons.keys()].sort((one, other) => weight(one) - weight(other));
    return places.length ? data.reasons[reasons.get(places[0])] : "";
  };
  const rank = standing => data.standings[standing][0] === "skipped" ? -1 : standing;
  // Of a long text its beginning and its end: the cause mostly stands last.
  const BEGIN = 60, END = 120;
  const shortened = text => text.length <= BEGIN + END + 3 ? text : `${text.slice(0, BEGIN)} … ${text.slice(-END)}`;
  const rows = data.cases.map(([head, tail, standing, look, group, article, history, quote]) => {
    const [start, ofHead] = data.heads[head], [end, ofTail] = data.tails[tail];
    const values = new Int32Array(axes.length).fill(-1);
    for (const [axis, value] of ofHead) values[axis] = value;
    for (const [axis, value] of ofTail) values[axis] = value;
    values[STANDING] = standing;
    values[GROUP] = group;
    const name = start + end, said = data.said[quote];
    return { name, said, text: `${name}\n${said}`.toLowerCase(), head, tail, values, standing, look, group, article, history };
  }).sort((one, other) => rank(other.standing) - rank(one.standing));

  // What is chosen: a set of values an axis, a condition and its verdict, words, and the case that is open.
  let choice, limit = STEP, written = null, open = null;
  const read = () => {
    choice = { axes: new Map(), condition: "", verdict: "", search: "", open: "" };
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (["condition", "verdict", "search", "open"].includes(name)) { choice[name] = value; continue; }
      const axis = axes.findIndex(one => one.name === name);
      if (axis < 0) continue;
      const known = value.split(",").map(one => axes[axis].values.indexOf(one)).filter(one => one >= 0);
      if (known.length) choice.axes.set(axis, new Set(known));
    }
    limit = STEP;
    written = location.hash;
  };
  const write = () => {
    const parts = [...choice.axes].map(([axis, set]) =>
      `${encodeURIComponent(axes[axis].name)}=${[...set].map(value => encodeURIComponent(axes[axis].values[value])).join(",")}`);
    for (const name of ["condition", "verdict", "search", "open"]) {
      if (choice[name]) parts.push(`${name}=${encodeURIComponent(choice[name])}`);
    }
    written = parts.length ? `#${parts.join("&")}` : "";
    if (location.hash === written) return;
    // The empty one would scroll to the top.
    if (written) location.replace(written); else history.replaceState(null, "", location.pathname + location.search);
  };

  // The cases that fit, how many there would be of each value, and how many conditions they have.
  const find = () => {
    const wanted = [...choice.axes];
    const words = choice.search.toLowerCase().split(/\s+/).filter(Boolean);
    const condition = data.conditions.indexOf(choice.condition), kind = data.kinds.indexOf(choice.verdict);
    const fits = ({ conditions, kinds }) => condition < 0 && kind < 0
      || conditions.some((one, place) => (condition < 0 || one === condition) && (kind < 0 || kinds[place] === kind));
    const fitting = looks.map(fits);
    const said = looks.map(({ why }) => words.map(word => why.includes(word)));
    const counts = axes.map(axis => new Uint32Array(axis.values.length));
    // Most values follow from the head and the tail of a case: these are counted, and their values once.
    const of = all => new Uint32Array(all.length);
    const heads = of(data.heads), tails = of(data.tails), seen = of(looks), found = [];
    for (const row of rows) {
      if (!fitting[row.look] || !words.every((word, place) => said[row.look][place] || row.text.includes(word))) continue;
      let missed = -1, misses = 0;
      for (const [axis, set] of wanted) if (!set.has(row.values[axis])) { missed = axis; misses += 1; }
      if (misses === 0) {
        found.push(row);
        heads[row.head] += 1;
        tails[row.tail] += 1;
        seen[row.look] += 1;
        counts[STANDING][row.standing] += 1;
        counts[GROUP][row.group] += 1;
      } else if (misses === 1 && row.values[missed] >= 0) counts[missed][row.values[missed]] += 1;
    }
    const share = (numbers, all) => numbers.forEach((number, place) => {
      for (const [axis, value] of all[place][1]) counts[axis][value] += number;
    });
    share(heads, data.heads);
    share(tails, data.tails);
    const tally = data.kinds.map((_, kind) => looks.reduce((sum, look, place) => sum + look.tally[kind] * seen[place], 0));
    return { found, counts, tally };
  };

  const panel = row => {
    const [, , standing] = data.standings[row.standing];
    const { conditions, kinds, reasons } = looks[row.look];
    const line = (condition, place) => {
      const kind = data.kinds[kinds[place]], reason = reasons.get(place);
      return make("tr", {}, make("td", {}, make("code", {}, data.conditions[condition])),
        make("td", { class: kind }, kind), make("td", {}, reason === undefined ? "" : data.reasons[reason]));
    };
    const told = conditions.map((condition, place) => [condition, place]).filter(([, place]) => kinds[place] !== PASS || reasons.has(place));
    const passes = conditions.filter((_, place) => kinds[place] === PASS && !reasons.has(place)).map(condition => data.conditions[condition]);
    const all = make("div", { class: `panel ${standing}` }, make("table", { class: "conditions" }, make("tbody", {}, ...told.map(one => line(...one)))));
    if (passes.length) all.append(make("p", { class: "passes" }, `${passes.length} pass: ${passes.join(", ")}`));
    const body = row.article ? byId(`case-${row.article}`).querySelector(".body") : null;
    if (body) {
      open = { body, home: body.parentElement };
      all.append(body);
    } else {
      if (row.said) all.append(make("p", { class: "said" }, row.said));
      const [before, after] = data.again[data.heads[row.head][2]];
      all.append(make("p", {}, "Run it again: ", make("code", { class: "again" }, before + row.name + after)));
      const file = row.history === 1 ? `${data.home}history/${row.name.replaceAll("/", "~")}.jsonl` : row.history;
      if (file) all.append(make("p", {}, make("a", { href: file }, "history")));
    }
    return all;
  };
  const item = row => {
    const [word, sign, standing] = data.standings[row.standing];
    const why = first(looks[row.look]);
    const isOpen = row.name === choice.open;
    const button = make("button", { type: "button", class: `row ${standing}`, "aria-expanded": isOpen },
      make("b", { title: word, role: "img", "aria-label": word }, sign), make("code", {}, row.name));
    if (row.said) button.append(make("small", {}, row.said));
    if (why) button.append(make("small", { title: why }, shortened(why)));
    button.addEventListener("click", () => change(() => { choice.open = isOpen ? "" : row.name; }, row.name));
    return make("li", {}, button, ...(isOpen ? [panel(row)] : []));
  };

  const boxes = [];
  const conditionBox = make("select", {}), verdictBox = make("select", {});
  const number = count => count.toLocaleString("en");
  const render = () => {
    if (open) open.home.append(open.body);
    open = null;
    const { found, counts, tally } = find();
    const place = found.findIndex(row => row.name === choice.open);
    const most = Math.max(limit, place + 1);
    byId("list").replaceChildren(...found.slice(0, most).map(item));
    byId("more").hidden = found.length <= most;
    byId("more").textContent = `show ${number(Math.min(STEP, found.length - most))} of ${number(found.length - most)} more`;
    const told = tally.map((count, kind) => count ? `${number(count)} ${data.kinds[kind]}` : "").filter(Boolean);
    const sum = tally.reduce((one, other) => one + other, 0);
    byId("shown").textContent = `${number(found.length)} of ${number(rows.length)} cases, ${number(sum)} conditions: ${told.join(", ") || "none"}`;
    for (const { axis, value, box, label, told } of boxes) {
      box.checked = choice.axes.get(axis)?.has(value) ?? false;
      told.textContent = number(counts[axis][value]);
      label.className = counts[axis][value] ? "" : "no";
    }
    [conditionBox.value, verdictBox.value] = [choice.condition, choice.verdict];
    if (byId("search").value !== choice.search) byId("search").value = choice.search;
    byId("chosen").replaceChildren(...chips());
    for (const link of document.querySelectorAll(".cell a, .causes a")) {
      link.toggleAttribute("aria-current", link.hash === location.hash);
    }
  };
  const chips = () => {
    const chip = (text, drop) => {
      const button = make("button", { type: "button", title: "take this filter away" }, `${text} ×`);
      button.addEventListener("click", () => change(drop));
      return button;
    };
    const all = [...choice.axes].map(([axis, set]) =>
      chip(`${axes[axis].name}: ${[...set].map(value => axes[axis].values[value]).join(", ")}`, () => choice.axes.delete(axis)));
    for (const name of ["condition", "verdict", "search"]) {
      if (choice[name]) all.push(chip(`${name}: ${choice[name]}`, () => { choice[name] = ""; }));
    }
    return all;
  };

  // Changes the choice, and keeps the focus on the row of a case.
  const change = (how, name) => {
    how();
    write();
    render();
    if (name) [...byId("list").querySelectorAll(".row")].find(row => row.querySelector("code").textContent === name)?.focus();
  };
  // Brings what the address names into view: the case that is open, else the cases.
  const show = () => {
    const row = byId("list").querySelector("[aria-expanded=true]");
    if (row || location.hash.length > 1) (row ?? byId("cases")).scrollIntoView();
  };
  const toggle = (axis, value) => change(() => {
    const set = choice.axes.get(axis) ?? new Set();
    if (!set.delete(value)) set.add(value);
    if (set.size) choice.axes.set(axis, set); else choice.axes.delete(axis);
    limit = STEP;
  });

  const facet = axis => {
    const list = make("div", {});
    axes[axis].values.forEach((text, value) => {
      const box = make("input", { type: "checkbox", name: axes[axis].name, value: text }), told = make("span", {});
      const label = make("label", {}, box, text, told);
      box.addEventListener("change", () => toggle(axis, value));
      boxes.push({ axis, value, box, label, told });
      list.append(label);
    });
    const isOpen = axis === STANDING || choice.axes.has(axis);
    const all = make("details", isOpen ? { open: "" } : {}, make("summary", {}, axes[axis].name), list);
    return make("fieldset", { "aria-label": axes[axis].name }, all);
  };
  const options = (select, name, words) => {
    select.name = name;
    select.append(make("option", { value: "" }, "any"), ...words.map(word => make("option", { value: word }, word)));
    select.addEventListener("change", () => change(() => { choice[name] = select.value; limit = STEP; }));
    return make("label", {}, name, select);
  };
  const build = () => {
    const there = axes[STANDING].values.map((_, standing) => rows.some(row => row.standing === standing));
    const several = axes.map((_, axis) => axis).filter(axis => axis < STANDING && axes[axis].values.length > 1);
    byId("axes").append(facet(STANDING),
      make("fieldset", { "aria-label": "condition" }, options(conditionBox, "condition", [...data.conditions].sort()), options(verdictBox, "verdict", data.kinds)),
      ...several.map(facet));
    for (const { axis, value, label } of boxes) if (axis === STANDING && !there[value]) label.hidden = true;
    byId("axes").open = matchMedia("(min-width: 60rem)").matches;
    byId("facets").addEventListener("submit", event => event.preventDefault());
    byId("search").addEventListener("input", event => change(() => { choice.search = event.target.value; limit = STEP; }));
    byId("more").addEventListener("click", () => { limit += STEP; render(); });
    for (const link of document.querySelectorAll('a[href^="#"]')) link.addEventListener("click", () => {
      byId("cases").scrollIntoView();
      byId("all").focus({ preventScroll: true });
    });
    addEventListener("hashchange", () => { if (location.hash !== written) { read(); render(); show(); } });
    addEventListener("keydown", event => {
      if (event.key !== "/" || event.target.matches("input, select")) return;
      event.preventDefault();
      byId("search").focus();
    });
  };

  document.documentElement.classList.add("js");
  for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
  byId("all").tabIndex = -1;
  read();
  build();
  render();
  show();
})();
