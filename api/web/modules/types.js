// The documents of the service, as far as the page reads them; openapi.json has all of it.

/** @typedef {[number, number, number, number]} Box x0, y0, x1, y1 in pixels of the upright photo */
/** @typedef {"images" | "sentences"} Target */
/** @typedef {{ name: string, photos: number, sentences: number }} Collection */
/** @typedef {{ word: string, start: number, end: number, box: Box, product: number }} Word */

/**
 * A photo of a collection; one that was found has a score and the query's words, too.
 * @typedef {{
 *   id: number, name: string, width: number, height: number, caption: string | null,
 *   score?: number, words?: Word[], collection?: string, tags?: string[], taken_at?: string | null,
 * }} Photo
 */

/** @typedef {{ id: number, score: number, text: string, document: string, words: Word[] }} SentenceHit */

/**
 * @typedef {{
 *   target: Target, not_understood: string[], warnings: string[], caption: string | null, hits: Photo[] | SentenceHit[],
 *   cursor: string | null,
 * }} Answer
 */

/** @typedef {{ box: Box, caption: string, log_probability: number }} CaptionedRegion */
/** @typedef {{ caption: string, width: number, height: number, regions: CaptionedRegion[] }} CaptionedPhoto */

/**
 * @typedef {{
 *   id: number, kind: "index" | "upload" | "delete" | "documents", collection: string,
 *   state: "queued" | "running" | "done" | "failed" | "cancelled", stage: string,
 *   done: number, total: number, message: string, report: Record<string, any> | null,
 * }} Job
 */

/** @typedef {{ tags?: string[], taken?: { from?: string, to?: string } }} Filter */

/**
 * What is asked: a text, a photo of the person, a photo of the collection, or a box drawn on one.
 * @typedef {{ kind: "text", text: string }
 *   | { kind: "file", file: Blob }
 *   | { kind: "photo", id: number }
 *   | { kind: "region", id: number, box: Box }} Query
 */

/** A part of a photo: the words of the query that went to it and what a captioner says of it.
 * @typedef {{ box: Box, words: string[], starts: number[], caption: string | null }} Region
 */

export {};
