/** The page, behind what a proxy cuts off. */
export const pageAt = (prefix: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Let a program in · Docket</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${prefix}/consent/page.css">
  </head>
  <body data-prefix="${prefix}">
    <main aria-busy="true">
      <h1>Let <span id="name">this program</span> in?</h1>
      <noscript><p>This page needs JavaScript.</p></noscript>
      <p id="fault" role="alert" hidden></p>
      <div id="asked" hidden>
        <p>It wants to:</p>
        <ul id="scopes"></ul>
        <dl>
          <div><dt>You are</dt><dd id="who"></dd></div>
          <div><dt>You go back to</dt><dd id="host"></dd></div>
        </dl>
        <p id="hint">Anybody can call a program by any name. Allow it only if you have just begun this yourself.</p>
        <div id="buttons">
          <button type="button" id="allow" aria-describedby="hint">Allow</button>
          <button type="button" id="deny">Deny</button>
        </div>
        <p><button type="button" id="other">Use another account</button></p>
      </div>
    </main>
    <script type="module" src="${prefix}/consent/page.js"></script>
  </body>
</html>
`
