// The tray: photos on their way to the server and jobs that run there, live.

import * as api from "./api.js";
import { at, counted, element, iconButton } from "./elements.js";

/** @typedef {import("./types.js").Job} Job */

const MOST_BYTES = 24 * 2 ** 20; // of one request; the service takes 32 MiB if it is not told otherwise
const MOST_PHOTOS = 100; // of one request
const AGAIN = 2000; // milliseconds before a job whose events broke off is asked for again
const STAGES = /** @type {Record<string, string>} */ ({
  photos: "Looking at the photos", sentences: "Reading the sentences", publish: "Publishing", captions: "Captioning",
});

export class Tray {
  /** @param {(job: Job) => void} ended told of a job that has ended well */
  constructor(ended) {
    this.ended = ended;
    this.tray = at("tray");
    /** @type {Set<number>} */
    this.followed = new Set();
  }

  /** Sends photos, some at a time, and follows the jobs that index them.
   * @param {File[]} photos @param {string} collection @param {string[]} tags @param {() => Promise<void>} prepare what
   * is done before the first are sent */
  async send(photos, collection, tags, prepare) {
    for (const [number, batch] of batches(photos).entries()) {
      await this.#sendBatch(batch, collection, tags, number ? async () => {} : prepare);
    }
  }

  /** @param {File[]} photos @param {string} collection @param {string[]} tags @param {() => Promise<void>} prepare */
  async #sendBatch(photos, collection, tags, prepare) {
    const stopping = new AbortController();
    const task = this.#task(`Sending ${counted(photos.length, "photo")} to ${collection}`);
    task.offer("Cancel", () => stopping.abort());
    try {
      await prepare();
      const job = await api.sendPhotos(photos, collection, tags, task.progress, stopping.signal);
      this.#follow(job, task);
    } catch (error) {
      if (stopping.signal.aborted) task.remove();
      else task.fail(/** @type {Error} */ (error).message, () => this.#sendBatch(photos, collection, tags, prepare));
    }
  }

  /** Shows the jobs that are under way, whoever began them. */
  async resume() {
    const jobs = await api.jobs().catch(() => []); // a page without them is still one
    for (const job of jobs.filter(underWay)) if (!this.followed.has(job.id)) this.#follow(job, this.#task(""));
  }

  /** @param {Job} job @param {Task} task */
  #follow(job, task) {
    this.followed.add(job.id);
    task.offer("Cancel", () => api.cancelJob(job.id).catch((error) => task.note(error.message)));
    task.show(job);
    const events = api.jobEvents(job.id);
    const read = (/** @type {MessageEvent} */ event) => /** @type {Job} */ (JSON.parse(event.data));
    events.addEventListener("progress", (event) => task.show(read(event)));
    events.addEventListener("end", (event) => {
      events.close();
      this.#end(read(event), task);
    });
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED) return; // it connects again by itself
      window.setTimeout(async () => {
        const now = await api.job(job.id).catch(() => null);
        if (now && underWay(now)) this.#follow(now, task);
        else if (now) this.#end(now, task);
      }, AGAIN);
    });
  }

  /** @param {Job} job @param {Task} task */
  #end(job, task) {
    this.followed.delete(job.id);
    task.end(job);
    if (job.state === "done") this.ended(job);
    else task.offer("Resume", async () => {
      try {
        this.#follow(await api.resumeJob(job.id), task);
      } catch (error) {
        task.note(/** @type {Error} */ (error).message);
      }
    });
  }

  /** @param {string} title */
  #task(title) {
    const task = new Task(title, () => { this.tray.hidden = this.tray.children.length === 0; });
    this.tray.append(task.element);
    this.tray.hidden = false;
    return task;
  }
}

/** A card of the tray. */
class Task {
  /** @param {string} title @param {() => void} removed */
  constructor(title, removed) {
    this.title = element("p", {}, title);
    this.bar = /** @type {HTMLProgressElement} */ (element("progress", { max: 1, value: 0, "aria-label": "Progress" }));
    this.hint = element("p", { class: "hint", role: "status" });
    this.action = element("span", {});
    this.element = element("div", { class: "task" }, element("div", { class: "top" }, this.title, this.action), this.bar, this.hint);
    this.remove = () => {
      this.element.remove();
      removed();
    };
    this.progress = (/** @type {number} */ part) => { this.bar.value = part; };
  }

  /** @param {string} text @param {() => void} act */
  offer(text, act) {
    this.action.replaceChildren(element("button", { type: "button", onclick: act }, text));
  }

  /** @param {string} text */
  note(text) {
    this.hint.textContent = text;
  }

  /** @param {Job} job */
  show(job) {
    this.element.classList.remove("failed");
    this.title.textContent = titleOf(job);
    this.bar.hidden = false;
    if (job.total) this.bar.value = job.done / job.total;
    else this.bar.removeAttribute("value");
    const stage = `${STAGES[job.stage] ?? "Beginning"}${job.total ? `, ${job.done} of ${job.total}` : ""}`;
    this.note(job.state === "queued" ? "Waiting for its turn" : stage);
  }

  /** @param {Job} job */
  end(job) {
    this.bar.hidden = true;
    this.title.textContent = titleOf(job);
    this.element.classList.toggle("failed", job.state === "failed");
    this.note(job.state === "cancelled" ? "Cancelled" : job.message || (job.state === "done" ? done(job.report) : "Failed"));
    this.action.replaceChildren();
    if (job.state === "done" || job.state === "cancelled") {
      this.element.querySelector(".top")?.append(iconButton("close", "Close", { onclick: this.remove }));
    }
  }

  /** @param {string} sentence @param {() => void} again */
  fail(sentence, again) {
    this.bar.hidden = true;
    this.element.classList.add("failed");
    this.note(sentence);
    this.offer("Try again", () => {
      this.remove();
      again();
    });
    this.element.querySelector(".top")?.append(iconButton("close", "Close", { onclick: this.remove }));
  }
}

/** @param {Job} job */
const underWay = (job) => job.state === "queued" || job.state === "running";

/** @param {Job} job */
const titleOf = ({ kind, collection }) => ({
  index: `Indexing ${collection}`, upload: `Adding photos to ${collection}`, delete: `Deleting from ${collection}`,
  documents: `Adding sentences to ${collection}`,
})[kind];

/** What a job did, and the first of what it could not do. @param {Job["report"]} report */
function done(report) {
  const [skipped, ...others] = report?.skipped_items ?? [];
  const left = skipped && `; left out: ${skipped.name} (${skipped.reason})${others.length ? ` and ${others.length} more` : ""}`;
  return `Done${report?.added ? `, ${report.added.toLocaleString("en")} added` : ""}${left ?? ""}`;
}

/** @param {File[]} photos */
function batches(photos) {
  /** @type {File[][]} */
  const made = [];
  let bytes = Infinity;
  for (const photo of photos) {
    const last = made[made.length - 1];
    if (bytes + photo.size > MOST_BYTES || last.length >= MOST_PHOTOS) {
      made.push([photo]);
      bytes = photo.size;
    } else {
      last.push(photo);
      bytes += photo.size;
    }
  }
  return made;
}
