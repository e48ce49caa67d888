for (const box of document.querySelectorAll('.curtain')) {
  const over = box.querySelector('.over'), line = box.querySelector('.line');
  const bar = box.parentElement.querySelector('input[type=range]');
  const button = box.parentElement.querySelector('button');
  const show = (share) => {
    share = Math.min(100, Math.max(0, share));
    over.style.clipPath = `inset(0 0 0 ${share}%)`; line.style.left = `${share}%`; bar.value = share;
  };
  const drag = (event) => {
    const area = box.getBoundingClientRect();
    show(100 * (event.clientX - area.left) / area.width);
  };
  box.addEventListener('pointerdown', (event) => { box.setPointerCapture(event.pointerId); drag(event); });
  box.addEventListener('pointermove', (event) => { if (event.buttons) drag(event); });
  bar.addEventListener('input', () => show(Number(bar.value)));
  let timer = null, front = false;
  button.addEventListener('click', () => {
    if (timer) { clearInterval(timer); timer = null; button.textContent = 'Blink'; show(50); return; }
    button.textContent = 'Stop';
    timer = setInterval(() => { front = !front; show(front ? 0 : 100); }, 500);
  });
}
