package capture

// canvasPage returns a page with a canvas of the size of small. The script draw defines the function draw, which is
// called in each frame with the time. c is the canvas.
func canvasPage(draw string) string {
	return `<style>body { margin: 0; overflow: hidden } canvas { display: block }</style>
		<canvas width="160" height="90"></canvas><script>
		const c = document.querySelector("canvas");
		requestAnimationFrame(function f(t) { requestAnimationFrame(f); draw(t) });
		` + draw + `</script>`
}

// mixedPage returns a page of the size of wide with elements before and after a canvas, #c.
func mixedPage(style, before, after, draw string) string {
	return `<style>
			body { margin: 0; overflow: hidden; background: linear-gradient(120deg, #123, #356);
				font: 30px sans-serif; color: #fc0 }
			.full { position: absolute; inset: 0 }
			b { position: absolute; animation: go 1s linear infinite alternate }
			@keyframes go { from { left: 3px; top: 5px } to { left: 190px; top: 140px; color: red } } ` + style + `
		</style>` + before + `<canvas id="c" width="640" height="361"></canvas>` + after +
		`<script>requestAnimationFrame(function f(t) { requestAnimationFrame(f); draw(t) }); ` + draw + `; draw(0)</script>`
}

// circles draws circles that move in every frame.
const circles = `const d = c.getContext("2d");
	function draw(t) {
		d.fillStyle = "#123"; d.fillRect(0, 0, c.width, c.height);
		for (let i = 0; i < 20; i++) {
			d.fillStyle = "hsl(" + (i * 30 + t / 5) + " 80% 60%)";
			d.beginPath(); d.arc(80 + Math.cos(t / 300 + i) * i * 4, 45 + Math.sin(t / 300 + i) * i * 2, 9, 0, 7); d.fill();
		}
		d.fillStyle = "#fff"; d.font = "20px sans-serif"; d.fillText(t.toFixed(1), 10, 30);
	}`

// triangle draws a triangle with WebGL.
func triangle(attributes string) string {
	return `const g = c.getContext("webgl", ` + attributes + `), p = g.createProgram();
		for (const [type, text] of [
			[g.VERTEX_SHADER, "attribute vec2 a; uniform float t; varying vec2 v;" +
				"void main() { v = a; gl_Position = vec4(mat2(cos(t), sin(t), -sin(t), cos(t)) * a, 0, 1); }"],
			[g.FRAGMENT_SHADER, "precision mediump float; varying vec2 v;" +
				"void main() { gl_FragColor = vec4(v * .5 + .5, .3, 1); }"],
		]) {
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
