'use strict';

const { Service } = require('egg');

class SsoService extends Service {
  socketsOf(deviceId) {
    return [...(this.app.im.devices.get(deviceId) || [])];
  }

  arrived(socket) {
    const { devices } = this.app.im;
    const { deviceId } = socket.im;
    if (!devices.has(deviceId)) devices.set(deviceId, new Set());
    devices.get(deviceId).add(socket);
    // A QR code is good for so long only.
    const timer = setTimeout(() => socket.disconnect(true), this.config.im['sso-timeout']);
    socket.once('disconnect', () => {
      clearTimeout(timer);
      devices.get(deviceId).delete(socket);
    });
  }

  /** Tells the device how the scan went; returns how many sockets heard it. */
  scanned(deviceId, code, token) {
    const sockets = this.socketsOf(deviceId);
    for (const socket of sockets) {
      this.service.push.toSocket(socket, 'SSO_QRLOGIN', code === 0 ? { token } : {}, { code });
    }
    return sockets.length;
  }
}

module.exports = SsoService;
