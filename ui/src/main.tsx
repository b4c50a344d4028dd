// Puts the page into the document.

import { render } from "preact";
import { App } from "./app";
import { followTheme } from "./theme";
import "./style/base.css";
import "./style/parts.css";

followTheme();
const place = document.getElementById("page");
if (place) render(<App />, place);
