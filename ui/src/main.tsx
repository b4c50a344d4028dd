// Puts the page into the document.

import { render } from "preact";
import { App } from "./app";
import { keptTheme, setTheme } from "./pages/settings";
import "./style/page.css";

const kept = keptTheme();
if (kept) setTheme(kept);
const place = document.getElementById("page");
if (place) render(<App />, place);
