package capture

// canvasPage is a page with a canvas of the size of small that fills it; draw is called in each frame, with the
// time, c being the canvas.
func canvasPage(draw string) string {
	return `<style>body { margin: 0; overflow: hidden } canvas { display: block }</style><canvas width="160" height="90"></canvas><script>
		const c = document.querySelector("canvas");
		requestAnimationFrame(function f(t) { requestAnimationFrame(f); draw(t) });
		` + draw + `</script>`
}

// circles moves something in every frame.
const circles = `const d = c.getContext("2d");
	function draw(t) {
		d.fillStyle = "#123"; d.fillRect(0, 0, c.width, c.height);
		for (let i = 0; i < 20; i++) {
			d.fillStyle = "hsl(" + (i * 30 + t / 5) + " 80% 60%)";
			d.beginPath(); d.arc(80 + Math.cos(t / 300 + i) * i * 4, 45 + Math.sin(t / 300 + i) * i * 2, 9, 0, 7); d.fill();
		}
		d.fillStyle = "#fff"; d.font = "20px sans-serif"; d.fillText(t.toFixed(1), 10, 30);
	}`

// triangle is drawn by WebGL.
func triangle(attributes string) string {
	return `const g = c.getContext("webgl", ` + attributes + `), p = g.createProgram();
		for (const [type, text] of [[g.VERTEX_SHADER, "attribute vec2 a; uniform float t; varying vec2 v; void main() { v = a; gl_Position = vec4(mat2(cos(t), sin(t), -sin(t), cos(t)) * a, 0, 1); }"],
			[g.FRAGMENT_SHADER, "precision mediump float; varying vec2 v; void main() { gl_FragColor = vec4(v * .5 + .5, .3, 1); }"]]) {
			const s = g.createShader(type); g.shaderSource(s, text); g.compileShader(s); g.attachShader(p, s);
		}
		g.linkProgram(p); g.useProgram(p);
		g.bindBuffer(g.ARRAY_BUFFER, g.createBuffer());
		g.bufferData(g.ARRAY_BUFFER, new Float32Array([-.9, -.8, .7, -.6, .1, .9]), g.STATIC_DRAW);
		g.enableVertexAttribArray(0); g.vertexAttribPointer(0, 2, g.FLOAT, false, 0, 0);
		function draw(t) {
			g.clearColor(.1, .2, Math.abs(Math.sin(t / 200)), 1); g.clear(g.COLOR_BUFFER_BIT);
			g.uniform1f(g.getUniformLocation(p, "t"), t / 400); g.drawArrays(g.TRIANGLES, 0, 3);
		}`
}

// boxes turn, shine through and have shadows; the page is larger than a tile.
const boxes = `<style>
	body { margin: 0; overflow: hidden; background: linear-gradient(120deg, #123, #356); color: #fff; font-family: sans-serif }
	i { position: absolute; width: 80px; height: 80px; border-radius: 9px; background: tomato; box-shadow: 0 2px 9px #0008; animation: go 2s infinite alternate }
	@keyframes go { to { transform: translate(399px, 90px) rotate(360deg) } }
	h1 { animation: in 1s } @keyframes in { from { opacity: .2; letter-spacing: 5px } }
</style><h1>Hello</h1><i></i><i style="left: 40px; animation-delay: -.5s"></i>`

// wide is a page that Chromium draws in tiles.

// mixed is a page of the size of wide with a canvas, #c, that is drawn in each frame, among other elements.
func mixed(style, before, after, draw string) string {
	return `<style>body { margin: 0; overflow: hidden; background: linear-gradient(120deg, #123, #356); font: 30px sans-serif; color: #fc0 }
		.full { position: absolute; inset: 0 } b { position: absolute; animation: go 1s linear infinite alternate }
		@keyframes go { from { left: 3px; top: 5px } to { left: 190px; top: 140px; color: red } } ` + style + `</style>` +
		before + `<canvas id="c" width="640" height="361"></canvas>` + after +
		`<script>requestAnimationFrame(function f(t) { requestAnimationFrame(f); draw(t) }); ` + draw + `; draw(0)</script>`
}
