// Why a task waits, in the server's words, with a way to each task that is named in them.

import type { Why } from "../api/types";
import { href } from "../route";
import { plain, Said } from "./text";

export function Reason({ why }: { why: Why }) {
  return (
    <>
      {why.words.map((word, index) =>
        typeof word === "string" ? (
          <Said key={index} text={word} most={2000} />
        ) : (
          <a key={index} href={href("task", word.task_id)}>
            <bdi>{plain(word.name.slice(0, 200))}</bdi>
          </a>
        ),
      )}
    </>
  );
}
