import js from "@eslint/js";
import html from "eslint-plugin-html";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    languageOptions: { sourceType: "module", globals: globals.browser },
    rules: { "no-empty": ["error", { allowEmptyCatch: true }] },
  },
  // Go tests call the functions of these scripts.
  {
    files: ["**/testdata/*.js"],
    languageOptions: { sourceType: "script" },
    rules: { "no-unused-vars": ["error", { vars: "local" }] },
  },
  { files: ["**/*.html"], plugins: { html } },
  // Examples use the global variables of libraries and of elements with an id.
  { files: ["examples/*.html"], rules: { "no-undef": "off" } },
];
