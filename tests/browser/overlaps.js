// What cannot be read in the picture on the page: texts over texts, over edges of shapes, or cut off.
() => {
  const slack = 1;
  const root = document.querySelector("svg.figure");
  const frame = root.getBoundingClientRect();
  const measured = (element) => ({ element, box: element.getBoundingClientRect() });
  const named = (one) => one.element.textContent || one.element.outerHTML;
  const texts = [...root.querySelectorAll("text")].filter((one) => one.textContent).map(measured);
  const shapes = [...root.querySelectorAll("rect, circle, polygon")]
    .filter((one) => !one.matches(".figure-stripe, .figure-ground, .figure-back-none, pattern *"))
    .map(measured);
  const apart = (a, b) =>
    a.right <= b.left + slack || b.right <= a.left + slack ||
    a.bottom <= b.top + slack || b.bottom <= a.top + slack;
  const inside = (a, b) => a.left >= b.left - slack && a.right <= b.right + slack;
  const found = [];
  texts.sort((one, other) => one.box.top - other.box.top);
  texts.forEach((text, at) => {
    if (text.box.left < frame.left || text.box.right > frame.right + slack ||
        text.box.top < frame.top || text.box.bottom > frame.bottom + slack) {
      found.push(`${named(text)} leaves the picture`);
    }
    for (let next = at + 1; next < texts.length && texts[next].box.top < text.box.bottom; next++) {
      if (!apart(text.box, texts[next].box)) {
        found.push(`${named(text)} lies on ${named(texts[next])}`);
      }
    }
    for (const shape of shapes) {
      if (!apart(text.box, shape.box) && !inside(text.box, shape.box)) {
        found.push(`${named(text)} crosses ${named(shape)}`);
      }
    }
  });
  return { texts: texts.length, found };
}
