// Replaces the parts of the page as the server sends them, and keeps the focus where it is.
"use strict";

const status = document.getElementById("status");

function say(text, kind) {
    if (status.textContent !== text) status.textContent = text;
    status.className = kind;
}

function replace(id, html) {
    const part = document.getElementById(id);
    if (!part) return;
    const key = part.contains(document.activeElement) && document.activeElement.dataset.key;
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    const scrolled = [...part.querySelectorAll(".scroll")].map((region) => region.scrollLeft);
    part.innerHTML = html;
    part.querySelectorAll("details").forEach((details, index) => { details.open = open[index] ?? false; });
    part.querySelectorAll(".scroll").forEach((region, index) => { region.scrollLeft = scrolled[index] ?? 0; });
    if (key) (part.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? document.getElementById("main")).focus();
}

const live = new EventSource(document.body.dataset.live);
live.addEventListener("open", () => say("live", "live"));
live.addEventListener("error", () => say("not live: trying to connect", "failed"));
live.addEventListener("part", (event) => replace(event.lastEventId, event.data));

document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    const name = form.querySelector("button").getAttribute("aria-label");
    if (form.dataset.change === "discard" && !confirm(`${name}? It cannot be undone.`)) return;
    try {
        const answer = await fetch(form.action, { method: "POST", redirect: "manual" });
        if (answer.type === "opaqueredirect" || answer.ok) return say(`${name}: done`, "live");
        say(`${name}: ${(await answer.json()).error}`, "failed");
    } catch (error) {
        say(`${name}: ${error.message}`, "failed");
    }
});
