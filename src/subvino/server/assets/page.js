// The page's own parts: the list of jobs, the player and the table of cues. What a change does is
// decided by the server (server/editing.py); here it is only asked for and shown.
"use strict";
(() => {
  if (window.subvino) return;

  const POLL_MS = 700;
  const LIST_MS = 3000;
  const NUDGE_MS = 50;

  const parts = (root) =>
    Object.fromEntries([...root.querySelectorAll("[data-is]")].map((node) => [node.dataset.is, node]));

  const make = (tag, values = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(values)) {
      if (name === "class") node.className = value;
      else if (name in node && name !== "list") node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };

  const show = (node, text) => {
    node.textContent = text || "";
    node.hidden = !text;
  };

  const clock = (ms) => {
    const minutes = Math.floor(ms / 60000);
    const rest = ms % 60000;
    const hours = Math.floor(minutes / 60);
    const head = hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}` : `${minutes}`;
    const seconds = String(Math.floor(rest / 1000)).padStart(2, "0");
    return `${head}:${seconds}.${String(rest % 1000).padStart(3, "0")}`;
  };

  // Python counts characters, JavaScript UTF-16 units.
  const toUnits = (text, n) => Array.from(text).slice(0, n).join("").length;
  const toChars = (text, n) => Array.from(text.slice(0, n)).length;

  // --- the list of jobs ------------------------------------------------------------------------

  function history(element, server) {
    const ui = parts(element);
    let shown = "";

    const row = (job) => {
      const about = [job.told, job.duration, job.task === "translate" ? "translated" : "", job.model];
      const bar = make("i");
      bar.style.width = `${Math.round(100 * (job.progress || 0))}%`;
      const open = make(
        "button",
        { type: "button", class: "sv-open", onclick: () => go(job.id) },
        make("b", {}, job.name),
        make("span", {}, about.filter(Boolean).join(" · ")),
        ...(job.state === "running" ? [make("span", { class: "sv-bar" }, bar)] : []),
      );
      const remove = make(
        "button",
        { type: "button", class: "sv-icon", title: "Delete", "aria-label": `Delete ${job.name}` },
        "×",
      );
      remove.onclick = async () => {
        if (!window.confirm(`Delete ${job.name} and its subtitles?`)) return;
        remove.disabled = true;
        show(ui.alert, (await server.delete_job(job.id)).error);
        refresh();
      };
      return make("li", { class: `sv-${job.state}` }, open, remove);
    };

    async function refresh() {
      if (document.body.dataset.job || document.hidden) return;
      const found = await server.history().catch(() => null);
      if (!found) return;
      if (found.error) return show(ui.alert, found.error);
      const now = JSON.stringify(found.jobs);
      if (now === shown) return;
      shown = now;
      ui.list.replaceChildren(...found.jobs.map(row));
      ui.none.hidden = found.jobs.length > 0;
    }

    window.addEventListener("subvino:closed", refresh);
    setInterval(refresh, LIST_MS);
    refresh();
  }

  // Which job is shown stands in the address, so that it can be reloaded, kept and shared.
  const go = (id) => {
    const url = new URL(window.location.href);
    if (id) url.searchParams.set("job", id);
    else url.searchParams.delete("job");
    window.history.pushState({}, "", url);
    window.dispatchEvent(new Event("popstate"));
  };

  // --- a job -----------------------------------------------------------------------------------

  function workbench(element, props, server, watch) {
    const root = element.querySelector(".sv-job");
    const ui = parts(root);
    const state = { id: "", stamp: "", job: null, cues: [], revision: 0, at: -1, live: true };
    let saving = Promise.resolve();
    let waiting = 0;

    for (const [value, label] of Object.entries(props.profiles)) {
      ui.profile.append(make("option", { value }, label));
    }

    // --- opening and following

    async function open(id, byHand = true) {
      if (id === state.id) return;
      Object.assign(state, { id, stamp: "", job: null, cues: [], revision: 0, at: -1, live: true });
      document.body.dataset.job = id;
      root.hidden = !id;
      ui.rows.replaceChildren();
      ui.video.replaceChildren();
      ui.video.removeAttribute("src");
      ui.video.load();
      for (const part of ["save", "reportCard", "work", "unplayable", "legend"]) ui[part].hidden = true;
      for (const part of ["alert", "toast", "videoNote", "name", "about", "count"]) show(ui[part], "");
      ui.name.hidden = ui.about.hidden = ui.count.hidden = false;
      document.title = "subvino";
      if (!id) return window.dispatchEvent(new Event("subvino:closed"));
      window.scrollTo(0, 0);
      await follow(id);
      if (byHand) ui.name.focus({ preventScroll: true });
    }

    async function follow(id) {
      clearTimeout(waiting);
      if (id !== state.id) return;
      const found = await server.look(id, state.stamp).catch(() => null);
      if (id !== state.id) return;
      if (found) take(found);
      const busy = (found?.videos || []).some((video) => video.state === "working");
      const over = found && (found.error || ["done", "failed", "cancelled"].includes(found.job.state));
      if (!over || busy) waiting = setTimeout(() => follow(id), POLL_MS);
    }

    function take(found) {
      if (found.error && !found.job) return show(ui.alert, found.error);
      if (found.job) showJob(found.job);
      if ("media" in found) showMedia(found);
      if ("cues" in found) {
        state.revision = found.revision || 0;
        showCues(found.cues, found.job.state === "done");
        if (found.cues.length) showTrack(found.stamp);
      }
      if ("report" in found) showReport(found);
      if ("videos" in found) showVideos(found.videos);
      if ("stamp" in found) state.stamp = found.stamp;
      if (found.error) toast(found.error);
    }

    function showJob(job) {
      const about = [job.duration, job.task === "translate" ? "translated into English" : "", job.model];
      state.job = job;
      ui.name.textContent = job.name;
      ui.about.textContent = about.filter(Boolean).join(" · ");
      document.title = `${job.name} · subvino`;
      const works = job.state === "queued" || job.state === "running";
      root.dataset.state = job.state;
      ui.work.hidden = !works;
      const percent = Math.round(100 * (job.progress || 0));
      ui.bar.firstChild.style.width = `${percent}%`;
      ui.bar.setAttribute("aria-valuenow", percent);
      ui.bar.setAttribute("aria-valuetext", `${percent} percent, ${job.told}`);
      ui.percent.textContent = job.state === "running" ? `${percent} %` : "";
      if (ui.told.textContent !== job.told) ui.told.textContent = job.told;
      const trouble = { failed: `This did not work: ${job.told}`, cancelled: "This was cancelled." };
      show(ui.alert, trouble[job.state] || job.warning);
      const empty = { queued: "Cues appear here as they are made.", failed: "No cues.", cancelled: "No cues." };
      ui.empty.textContent = empty[job.state] || (works ? empty.queued : "Nobody speaks in this video.");
      ui.empty.hidden = state.cues.length > 0;
    }

    function showMedia(found) {
      ui.stage.hidden = !found.media;
      ui.stage.classList.toggle("sv-sound", !found.picture);
      if (found.media && ui.video.getAttribute("src") !== found.media) {
        ui.video.setAttribute("src", found.media);
      }
    }

    function showTrack(stamp) {
      if (!ui.video.getAttribute("src")) return;
      const src = `page/jobs/${state.id}/subtitles/vtt?at=${encodeURIComponent(stamp)}`;
      const track = make("track", { kind: "subtitles", label: "Subtitles", default: true, src });
      ui.video.replaceChildren(track);
      track.track.mode = "showing";
    }

    ui.video.addEventListener("error", () => {
      const gone = "This browser can't play the video. Its subtitles are right all the same.";
      if (ui.video.getAttribute("src")) show(ui.unplayable, gone);
    });
    ui.video.addEventListener("loadedmetadata", () => (ui.unplayable.hidden = true));

    // --- the table of cues

    function marked(cue) {
      const nodes = [];
      let at = 0;
      for (const [begin, end, percent] of cue.doubts) {
        const from = toUnits(cue.text, begin);
        const to = toUnits(cue.text, end);
        nodes.push(cue.text.slice(at, from));
        nodes.push(make("mark", { title: `${percent} % sure` }, cue.text.slice(from, to)));
        at = to;
      }
      return [...nodes, cue.text.slice(at)];
    }

    function makeRow(cue, number, editable) {
      const told = `cue ${number + 1}`;
      const play = make(
        "button",
        { type: "button", class: "sv-number", title: "Play from here", "aria-label": `Play from ${told}, ${cue.start}` },
        String(number + 1),
      );
      const time = (name, value, label) =>
        make("input", { name, value, readOnly: !editable, inputMode: "decimal", autocomplete: "off", spellcheck: false, "aria-label": `${label} of ${told}` });
      const text = make("div", { class: "sv-text", role: "textbox", "aria-multiline": "true", dir: "auto", spellcheck: true, "aria-label": `Text of ${told}` });
      text.append(...marked(cue));
      if (editable) text.setAttribute("contenteditable", "plaintext-only");
      else text.setAttribute("aria-readonly", "true");
      const flaws = make("ul", { class: "sv-flaws", "aria-label": `What is wrong with ${told}` });
      for (const flaw of cue.findings) {
        const tag = make("li", { class: flaw.grave ? "sv-grave" : "", title: flaw.detail }, flaw.title);
        if (flaw.detail) tag.append(make("span", { class: "sv-hidden" }, `: ${flaw.detail}`));
        flaws.append(tag);
      }
      const act = (name, sign, label) =>
        make("button", { type: "button", class: "sv-icon", "data-do": name, title: label, "aria-label": `${label}: ${told}` }, sign);
      const row = make(
        "tr",
        {},
        make("th", { scope: "row" }, play),
        make("td", { class: "sv-times" }, time("start", cue.start, "Start"), time("end", cue.end, "End")),
        make("td", { class: "sv-says" }, text, ...(cue.findings.length ? [flaws] : [])),
        make("td", { class: "sv-acts" }, ...(editable ? [act("split", "✂", "Split"), act("merge", "⤵", "Merge with the next"), act("insert", "+", "New cue after"), act("remove", "×", "Delete")] : [])),
      );
      return row;
    }

    // Only rows that differ are touched, and made anew only where cues came or went, so that focus,
    // cursor, scrolling and what is being typed stay, and a film's thousand rows take no time.
    function showCues(cues, editable) {
      const anew = state.live === editable;
      state.live = !editable;
      const old = anew ? [] : state.cues;
      const active = document.activeElement?.closest?.(".sv-cues tbody tr");
      const focus = active && { number: numberOf(active), place: placeOf(document.activeElement) };
      const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
      const most = Math.min(old.length, cues.length);
      let first = 0;
      while (first < most && same(old[first], cues[first]) && !isDirty(ui.rows.children[first], cues[first])) first++;
      let last = 0;
      while (last < most - first && same(old.at(-1 - last), cues.at(-1 - last)) && !isDirty(rowAt(-1 - last), cues.at(-1 - last))) last++;
      const changed = cues.slice(first, cues.length - last);
      if (!anew && old.length === cues.length) changed.forEach((cue, n) => refresh(ui.rows.children[first + n], old[first + n], cue));
      else {
        const kept = anew ? [] : [...ui.rows.children].slice(ui.rows.children.length - last);
        const made = changed.map((cue, n) => makeRow(cue, first + n, editable));
        while (ui.rows.children.length > first + kept.length) ui.rows.children[first].remove();
        if (made.length) (kept[0] || { before: (...rows) => ui.rows.append(...rows) }).before(...made);
        kept.forEach((row, n) => renumber(row, cues.length - kept.length + n));
      }
      state.cues = cues;
      ui.count.textContent = cues.length ? String(cues.length) : "";
      ui.empty.hidden = cues.length > 0;
      ui.legend.hidden = !cues.some((cue) => cue.doubts.length);
      ui.tools.classList.toggle("sv-off", !editable);
      if (focus && !active.isConnected) focusRow(focus.number, focus.place);
      if (!editable) ui.scroll.scrollTop = ui.scroll.scrollHeight;
      else if (anew) ui.scroll.scrollTop = 0;
      state.at = -1;
      onTime();
    }

    function refresh(row, old, cue) {
      const fresh = makeRow(cue, numberOf(row), !state.live);
      for (const name of ["start", "end"]) {
        const input = row.querySelector(`[name=${name}]`);
        if (!isTyping(input, input.value, old[name])) input.value = cue[name];
        delete input.sent;
      }
      const text = row.querySelector(".sv-text");
      const says = fresh.querySelector(".sv-text");
      if (!isTyping(text, textOf(row), old.text) && text.innerHTML !== says.innerHTML) text.replaceChildren(...says.childNodes);
      delete text.sent;
      row.querySelector(".sv-flaws")?.remove();
      text.after(...fresh.querySelectorAll(".sv-flaws"));
    }

    // Whether a field holds more than what was sent of it, or than what it was made with.
    const isTyping = (node, value, made) => node === document.activeElement && value !== (node.sent ?? made);
    const rowAt = (n) => ui.rows.children[n < 0 ? ui.rows.children.length + n : n];
    function renumber(row, number) {
      row.querySelector(".sv-number").textContent = String(number + 1);
      for (const node of row.querySelectorAll("[aria-label]")) {
        node.setAttribute("aria-label", node.getAttribute("aria-label").replace(/cue \d+/, `cue ${number + 1}`));
      }
    }

    const placeOf = (node) => (node.classList.contains("sv-text") ? ".sv-text" : node.name ? `[name=${node.name}]` : node.dataset.do ? `[data-do=${node.dataset.do}]` : ".sv-number");
    const textOf = (row) => row.querySelector(".sv-text").innerText.replace(/\r/g, "").replace(/\n$/, "");
    // innerText has the browser lay the page out: only asked where the text differs.
    const isDirty = (row, cue) =>
      (row.querySelector(".sv-text").textContent !== cue.text && textOf(row) !== cue.text) || row.querySelector("[name=start]").value !== cue.start || row.querySelector("[name=end]").value !== cue.end;
    const numberOf = (row) => [...ui.rows.children].indexOf(row);

    function focusRow(number, place = ".sv-text") {
      const row = ui.rows.children[Math.min(number, ui.rows.children.length - 1)];
      const node = row?.querySelector(place) || row?.querySelector(".sv-text");
      node?.focus({ preventScroll: true });
      row?.scrollIntoView({ block: "nearest" });
    }

    // --- changes: one after the other, each on the revision that the one before left

    function change(what, after) {
      saving = saving.then(async () => {
        const id = state.id;
        const found = await server.change(id, state.revision, what).catch(() => null);
        if (id !== state.id) return;
        if (!found) return toast("The server does not answer; this change is not kept.");
        take(found);
        if (!found.error) after?.();
      });
      return saving;
    }

    function commit(row) {
      const number = numberOf(row);
      const cue = state.cues[number];
      if (number < 0 || !cue || state.live) return saving;
      const text = (row.querySelector(".sv-text").sent = textOf(row));
      const [start, end] = ["start", "end"].map((name) => {
        const input = row.querySelector(`[name=${name}]`);
        return (input.sent = input.value);
      });
      if (text !== cue.text) change({ do: "text", cue: number, text });
      if (start !== cue.start || end !== cue.end) change({ do: "times", cue: number, start, end });
      return saving;
    }

    const act = {
      async split(row) {
        const number = numberOf(row);
        const at = cursor(row);
        await commit(row);
        await change({ do: "split", cue: number, at }, () => focusRow(number + 1));
      },
      async merge(row) {
        const number = numberOf(row);
        await commit(row);
        await change({ do: "merge", cue: number }, () => focusRow(number));
      },
      async insert(row) {
        const number = numberOf(row);
        await commit(row);
        await change({ do: "insert", cue: number }, () => {
          focusRow(number + 1);
          window.getSelection().selectAllChildren(ui.rows.children[number + 1].querySelector(".sv-text"));
        });
      },
      async remove(row) {
        const number = numberOf(row);
        await change({ do: "remove", cue: number }, () => focusRow(number));
      },
    };

    // The cursor in a row's text, in characters; null where it is not there.
    function cursor(row) {
      const text = row.querySelector(".sv-text");
      const selection = window.getSelection();
      if (!selection.rangeCount || !text.contains(selection.anchorNode)) return null;
      const range = document.createRange();
      range.selectNodeContents(text);
      range.setEnd(selection.anchorNode, selection.anchorOffset);
      const before = range.toString();
      const chars = toChars(before, before.length);
      return chars > 0 && chars < Array.from(textOf(row)).length ? chars : null;
    }

    ui.rows.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      const button = event.target.closest("[data-do]");
      if (button) return act[button.dataset.do](row);
      if (event.target.tagName !== "INPUT") seek(numberOf(row));
      if (event.target.closest(".sv-number")) ui.video.play().catch(() => {});
    });
    ui.rows.addEventListener("focusout", (event) => {
      const row = event.target.closest("tr");
      if (row?.isConnected && !row.contains(event.relatedTarget)) commit(row);
    });
    ui.rows.addEventListener("change", (event) => commit(event.target.closest("tr")));
    ui.rows.addEventListener("keydown", (event) => {
      const row = event.target.closest("tr");
      const input = event.target.tagName === "INPUT" ? event.target : null;
      const step = { ArrowUp: NUDGE_MS, ArrowDown: -NUDGE_MS }[event.key];
      if (input && step && !event.altKey && !input.readOnly) {
        event.preventDefault();
        const cue = state.cues[numberOf(row)];
        const ms = Math.max(cue[`${input.name}_ms`] + step, 0);
        input.value = clock(ms);
        return commit(row).then(() => seekTo(input.name === "start" ? ms : ms - 200));
      }
      const plain = event.ctrlKey || event.metaKey;
      const name = event.key === "Enter" && plain ? "split" : event.altKey ? { KeyM: "merge", KeyN: "insert", Delete: "remove" }[event.code] : "";
      if (name && !state.live) {
        event.preventDefault();
        return act[name](row);
      }
      const by = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
      const edge = event.altKey && { KeyI: "start", KeyO: "end" }[event.code];
      if (by) {
        event.preventDefault();
        const number = Math.max(numberOf(row) + by, 0);
        focusRow(number, placeOf(event.target));
        seek(number);
      } else if (edge && !state.live) {
        event.preventDefault();
        row.querySelector(`[name=${edge}]`).value = clock(Math.round(ui.video.currentTime * 1000));
        commit(row);
      } else if (event.key === "Escape" && !state.live) {
        const number = numberOf(row);
        const fresh = makeRow(state.cues[number], number, true);
        row.replaceWith(fresh);
        focusRow(number, placeOf(event.target));
      }
    });

    root.addEventListener("keydown", (event) => {
      const plain = event.ctrlKey || event.metaKey;
      const row = event.target.closest("tbody tr");
      if (plain && event.key.toLowerCase() === "z" && !state.live) {
        // What was typed and not yet kept is the browser's to undo.
        if (row && isDirty(row, state.cues[numberOf(row)])) return;
        event.preventDefault();
        change({ do: event.shiftKey ? "redo" : "undo" });
      } else if (event.altKey && event.code === "KeyP") {
        event.preventDefault();
        if (ui.video.paused) ui.video.play().catch(() => {});
        else ui.video.pause();
      } else if (event.altKey && event.code === "KeyD") {
        event.preventDefault();
        nextDoubt();
      }
    });

    // --- the video and the table

    function seekTo(ms) {
      if (ui.video.readyState > 0) ui.video.currentTime = Math.max(ms, 0) / 1000 + 0.001;
    }
    const seek = (number) => state.cues[number] && seekTo(state.cues[number].start_ms);

    function onTime() {
      const now = ui.video.currentTime * 1000;
      const at = state.cues.findIndex((cue) => cue.start_ms <= now && now < cue.end_ms);
      if (at === state.at) return;
      for (const row of ui.rows.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
      state.at = at;
      const row = ui.rows.children[at];
      row?.setAttribute("aria-current", "true");
      if (row && !ui.video.paused && !ui.rows.contains(document.activeElement)) {
        const { scroll } = ui;
        scroll.scrollTo({ top: row.offsetTop - scroll.clientHeight / 2, behavior: "smooth" });
      }
    }
    ui.video.addEventListener("timeupdate", onTime);
    ui.video.addEventListener("seeked", onTime);

    function nextDoubt() {
      const marks = [...ui.rows.querySelectorAll("mark")];
      if (!marks.length) return toast("No doubtful word is left.");
      const row = document.activeElement?.closest?.("tbody tr");
      const selection = window.getSelection();
      const here = row && selection.rangeCount ? selection.getRangeAt(0) : null;
      const after = (mark) => here && here.comparePoint(mark, 0) > 0;
      const mark = marks.find(after) || marks[0];
      mark.closest(".sv-text").focus({ preventScroll: true });
      selection.selectAllChildren(mark);
      mark.closest("tr").scrollIntoView({ block: "nearest" });
      seek(numberOf(mark.closest("tr")));
    }

    // --- report and files

    function showReport(found) {
      const { report } = found;
      ui.reportCard.hidden = ui.save.hidden = false;
      ui.profile.value = found.profile;
      const verdict = report.n_findings
        ? `${report.n_clean} of ${report.n_cues} cues keep to every rule.`
        : `All ${report.n_cues} cues keep to every rule.`;
      const list = make("ul", { class: "sv-rules" });
      for (const rule of report.rules) {
        const jump = make("button", { type: "button", class: rule.grave ? "sv-grave" : "" }, make("b", {}, String(rule.count)), rule.title);
        jump.onclick = () => (focusRow(rule.cue), seek(rule.cue));
        list.append(make("li", {}, jump));
      }
      const share = report.n_cues ? report.n_clean / report.n_cues : 1;
      const meter = make("div", { class: "sv-bar sv-good", "aria-hidden": "true" }, make("i"));
      meter.firstChild.style.width = `${100 * share}%`;
      ui.report.replaceChildren(meter, make("p", {}, report.n_cues ? verdict : "No cues."), list);
      const doubts = found.cues.reduce((sum, cue) => sum + cue.doubts.length, 0);
      ui.doubt.textContent = doubts ? `Next doubtful word (${doubts})` : "No doubtful words";
      ui.doubt.disabled = !doubts;
      root.querySelector("[data-act=undo]").disabled = !found.can_undo;
      root.querySelector("[data-act=redo]").disabled = !found.can_redo;
      ui.files.replaceChildren(
        ...found.formats.map((name) =>
          make("a", { class: "sv-button", href: `page/jobs/${state.id}/subtitles/${name}?save=1`, download: "", "aria-label": `Download ${name.toUpperCase()}` }, name.toUpperCase()),
        ),
      );
    }

    // What was typed last must be kept before the file is made.
    ui.save.addEventListener("click", async (event) => {
      const link = event.target.closest("a");
      if (!link || link.dataset.ready) return;
      event.preventDefault();
      await settle();
      link.dataset.ready = "1";
      link.click();
      delete link.dataset.ready;
    });
    async function settle() {
      for (const row of ui.rows.children) if (isDirty(row, state.cues[numberOf(row)])) commit(row);
      await saving;
    }

    const VIDEOS = { subtitled: "Video with a subtitle track", burned: "Video with subtitles burned in" };
    function showVideos(videos) {
      const notes = [];
      const nodes = videos.map((video) => {
        const label = VIDEOS[video.kind];
        if (video.message) notes.push(video.message);
        if (video.state === "done") {
          return make("a", { class: "sv-button sv-strong", href: video.url, download: "" }, `Save: ${label.toLowerCase()}`);
        }
        const percent = video.progress === null ? "" : ` ${Math.round(100 * (video.progress || 0))} %`;
        const busy = video.state === "working";
        return make("button", { type: "button", class: "sv-button", disabled: busy, "data-kind": video.kind }, busy ? `Making it …${percent}` : label);
      });
      const focused = document.activeElement?.dataset?.kind;
      ui.videos.replaceChildren(...nodes);
      ui.videos.hidden = !ui.video.getAttribute("src") || ui.stage.classList.contains("sv-sound");
      if (focused) ui.videos.querySelector(`[data-kind=${focused}], a`)?.focus();
      show(ui.videoNote, notes.join(" "));
    }
    ui.videos.addEventListener("click", async (event) => {
      const kind = event.target.dataset.kind;
      if (!kind) return;
      await settle();
      take(await server.make_video(state.id, kind));
      follow(state.id);
    });

    // --- buttons

    ui.profile.addEventListener("change", async () => {
      await settle();
      await change({ do: "profile", profile: ui.profile.value }, () => toast("The cues were cut anew by these rules. Undo brings yours back."));
    });
    ui.shift.addEventListener("submit", async (event) => {
      event.preventDefault();
      const by = Number(ui.shift.by.value.replace(",", "."));
      if (!Number.isFinite(by)) return toast("Write the seconds as a number, as 0.5 or -1.2.");
      await settle();
      const first = ui.shift.which.value === "all" ? 0 : Math.max(state.last ?? state.at, 0);
      await change({ do: "shift", cue: first, by_ms: Math.round(1000 * by) }, () => {
        ui.shift.closest("details").open = false;
        toast(`Moved by ${by} s.`);
      });
    });
    ui.rows.addEventListener("focusin", (event) => (state.last = numberOf(event.target.closest("tr"))));
    root.addEventListener("click", async (event) => {
      const name = event.target.closest("[data-act]")?.dataset.act;
      if (name === "close") await settle(), go("");
      if (name === "cancel") take(await server.cancel(state.id)), follow(state.id);
      if (name === "undo" || name === "redo") change({ do: name });
      if (name === "doubt") nextDoubt();
      for (const menu of root.querySelectorAll("details[open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
    });

    let toasting = 0;
    function toast(text) {
      clearTimeout(toasting);
      show(ui.toast, text);
      toasting = setTimeout(() => show(ui.toast, ""), 6000);
    }

    window.addEventListener("beforeunload", (event) => {
      if ([...ui.rows.children].some((row, number) => isDirty(row, state.cues[number]))) event.preventDefault();
    });
    window.addEventListener("popstate", () => open(new URLSearchParams(window.location.search).get("job") || ""));
    watch("value", () => props.value?.open && go(props.value.open));
    open(new URLSearchParams(window.location.search).get("job") || "", false);
    if (!state.id) document.body.dataset.job = "";
  }

  // --- light and dark --------------------------------------------------------------------------

  const THEME = "subvino.theme";
  function theme(element) {
    const button = element.querySelector("[data-act=theme]");
    const kept = window.localStorage.getItem(THEME);
    if (kept) document.body.classList.toggle("dark", kept === "dark");
    const tell = () => {
      const dark = document.body.classList.contains("dark");
      button.textContent = dark ? "☀" : "☾";
      button.setAttribute("aria-label", dark ? "Light colours" : "Dark colours");
      button.title = button.getAttribute("aria-label");
      document.documentElement.style.colorScheme = dark ? "dark" : "light";
    };
    button.onclick = () => {
      const dark = document.body.classList.toggle("dark");
      window.localStorage.setItem(THEME, dark ? "dark" : "light");
      tell();
    };
    new MutationObserver(tell).observe(document.body, { attributeFilter: ["class"] });
    tell();
  }

  window.subvino = { history, workbench, theme };
})();
