// Why a task waits, in the server's words, with a way to each task and worker that is named in them.

import type { ComponentChildren } from "preact";
import type { Why, Word } from "../api/words";
import { href } from "../route";
import { shortWorker } from "./task-table";
import { plain, Said } from "./text";
import { moment, When } from "./time";

/** The sentences. Where they are about `self`, whose name stands beside them, they say "it". */
export function Reason({ why, self }: { why: Why; self: string }) {
  const isSelf = (word: Word | undefined) => typeof word === "object" && "task_id" in word && word.task_id === self;
  return (
    <>
      {why.words.map((word, index) => (
        <span key={index}>{isSelf(word) ? (index === 0 ? "It" : "it") : shown(word)}</span>
      ))}
    </>
  );
}

function shown(word: Word): ComponentChildren {
  if (typeof word === "string") return <Said text={word} most={2000} />;
  if ("task_id" in word) {
    return (
      <a href={href("task", word.task_id)}>
        <bdi>{plain(word.name.slice(0, 200))}</bdi>
      </a>
    );
  }
  if ("worker" in word) {
    return (
      <a href={href("workers", word.worker)} title={plain(word.worker)}>
        {shortWorker(word.worker)}
      </a>
    );
  }
  const at = typeof word.time === "number" ? word.time : Date.parse(String(word.time)) / 1000;
  if (!Number.isFinite(at)) return plain(String(word.time));
  return (
    <>
      {moment(at)} (<When at={at} />)
    </>
  );
}
