// Security keys (WebAuthn): talks to the browser, fills the form's hidden field, submits. Words stand in the page.
const toBytes = (text) => {
  const plain = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
};

const toText = (buffer) => {
  let plain = "";
  for (const byte of new Uint8Array(buffer)) plain += String.fromCharCode(byte);
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};

const withIds = (list) => (list ?? []).map((item) => ({ ...item, id: toBytes(item.id) }));

async function create(options) {
  const wanted = options.publicKey;
  const credential = await navigator.credentials.create({
    publicKey: {
      ...wanted,
      challenge: toBytes(wanted.challenge),
      user: { ...wanted.user, id: toBytes(wanted.user.id) },
      excludeCredentials: withIds(wanted.excludeCredentials),
      authenticatorSelection: { ...wanted.authenticatorSelection, residentKey: "discouraged", requireResidentKey: false },
    },
  });
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: toText(credential.response.clientDataJSON),
      attestationObject: toText(credential.response.attestationObject),
      transports: credential.response.getTransports?.() ?? [],
    },
  };
}

async function get(options) {
  const wanted = options.publicKey;
  const credential = await navigator.credentials.get({
    publicKey: {
      ...wanted,
      challenge: toBytes(wanted.challenge),
      allowCredentials: withIds(wanted.allowCredentials),
    },
  });
  const { response } = credential;
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      authenticatorData: toText(response.authenticatorData),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
  };
}

for (const form of document.querySelectorAll("form[data-ym-webauthn]")) {
  if (!window.PublicKeyCredential) continue;
  const go = form.querySelector("[data-ym-webauthn-go]");
  const error = form.querySelector("[data-ym-webauthn-error]");
  form.querySelector("[data-ym-webauthn-missing]")?.remove();
  form.hidden = false;
  go.disabled = false;
  go.addEventListener("click", async () => {
    error.hidden = true;
    go.disabled = true;
    try {
      const data = JSON.parse(document.getElementById(form.dataset.options).textContent);
      const answer = form.dataset.ymWebauthn === "create" ? await create(data.creation_options) : await get(data.request_options);
      form.querySelector("input[name=credential]").value = JSON.stringify(answer);
      form.submit();
    } catch {
      error.hidden = false;
      go.disabled = false;
    }
  });
}
