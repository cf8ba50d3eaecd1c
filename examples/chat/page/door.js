// The login.

import { $ } from './dom.js';
import { login } from './login.js';

const form = $('login');
const note = $('login-note');

function say(text, kind = 'error') {
  note.hidden = !text;
  note.dataset.kind = kind;
  note.querySelector('span').textContent = text ?? '';
}

export function openDoor(why, kind, name) {
  $('house').hidden = true;
  $('door').hidden = false;
  document.title = 'Stomping Ground';
  say(why, kind);
  form.elements.password.value = '';
  if (name) form.elements.name.value = name;
  (form.elements.name.value ? form.elements.password : form.elements.name).focus();
}

/** What is wrong before the server need be asked. */
function complaint(name, password) {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,23}$/.test(name))
    return [form.elements.name, 'A name is letters, digits, - and _, at most 24 of them.'];
  if (new TextEncoder().encode(password).length < 8)
    return [form.elements.password, 'A password has at least 8 characters.'];
  return null;
}

export function onLogin(done) {
  form.addEventListener('submit', async (e) => {
    e.preventDefault();
    const name = form.elements.name.value.trim();
    const password = form.elements.password.value;
    const wrong = complaint(name, password);
    for (const field of [form.elements.name, form.elements.password])
      field.setAttribute('aria-invalid', String(wrong?.[0] === field));
    if (wrong) {
      say(wrong[1]);
      wrong[0].focus();
      return;
    }
    say('');
    $('enter').disabled = true;
    form.dataset.busy = '';
    try {
      const answer = await login(name, password);
      form.elements.password.value = '';
      done(answer);
    } catch (error) {
      say(error.message);
      form.elements.password.focus();
      form.elements.password.select();
    } finally {
      $('enter').disabled = false;
      delete form.dataset.busy;
    }
  });
  $('reveal').addEventListener('click', () => {
    const field = form.elements.password;
    const show = field.type === 'password';
    field.type = show ? 'text' : 'password';
    $('reveal').setAttribute('aria-pressed', String(show));
    field.focus();
  });
}
