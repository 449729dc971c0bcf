# SPDX-License-Identifier: Apache-2.0
"""NetworkManager with one radio, wlan0, and access points around it: python-dbusmock's template, and what
that leaves out: activation takes time and can fail, scans end, profiles can be updated in memory, polkit
can refuse. Started by: python3 -m dbusmock --system --template networkmanager_mock.py

Controlled by methods of org.freedesktop.DBus.Mock on /org/freedesktop:
  Appear NAME PASSWORD  an access point, open where PASSWORD is ""; another one of the same name goes
  Vanish NAME           it is gone, and a connection to it breaks
  Permit YES            whether polkit permits anything
  Plug YES              whether wlan0 is there
  Enable YES            whether its radio is on
  Serve YES             whether DHCP answers
"""
import dbus
import dbusmock
from dbusmock import MOCK_IFACE
from dbusmock.templates import networkmanager as nm
from dbusmock.templates.networkmanager import *  # noqa: F401,F403 its methods become those of this mock
from gi.repository import GLib

BUS_NAME = nm.BUS_NAME
MAIN_OBJ = nm.MAIN_OBJ
IS_OBJECT_MANAGER = True
SYSTEM_BUS = True

STEP_MS = 20
DEVICE = '/org/freedesktop/NetworkManager/Devices/wlan0'
PSK = nm.NM80211ApSecurityFlags.NM_802_11_AP_SEC_KEY_MGMT_PSK
NEW_ACTIVATION, NO_SECRETS, NO_ADDRESS, NOT_FOUND, SUPPLICANT_TIMEOUT = 60, 7, 5, 53, 11

air = {}  # name: password
permits = True
serves = True
count = 0  # makes paths unique
round_of_activation = 0  # a new one ends the steps of the one before


def device():
    return dbusmock.get_object(DEVICE)


def later(steps, function):
    GLib.timeout_add(STEP_MS * steps, lambda: function() and False)


def set_state(state, reason):
    before = device().Get(nm.DEVICE_IFACE, 'State')
    device().Set(nm.DEVICE_IFACE, 'State', dbus.UInt32(state))
    device().EmitSignal(nm.DEVICE_IFACE, 'StateChanged', 'uuu',
                        [dbus.UInt32(state), before, dbus.UInt32(reason)])


def set_active(path, access_point):
    device().Set(nm.DEVICE_IFACE, 'ActiveConnection', dbus.ObjectPath(path))
    device().Set(nm.WIRELESS_DEVICE_IFACE, 'ActiveAccessPoint', dbus.ObjectPath(access_point))


def refuse():
    if not permits:
        raise dbus.exceptions.DBusException('Not authorized to control networking.',
                                            name='org.freedesktop.NetworkManager.PermissionDenied')


def fail(reason):
    set_state(nm.DeviceState.FAILED, reason)
    set_active('/', '/')
    set_state(nm.DeviceState.DISCONNECTED, 0)


def access_point_of(name):
    for path in device().access_points:
        if bytes(dbusmock.get_object(path).Get(nm.ACCESS_POINT_IFACE, 'Ssid')) == name:
            return path
    return None


def activate(self, profile, _device, _access_point):
    global count, round_of_activation
    refuse()
    settings = dbusmock.get_object(profile).settings
    name = bytes(settings['802-11-wireless']['ssid'])
    password = str(settings.get('802-11-wireless-security', {}).get('psk', ''))
    count += 1
    round_of_activation += 1
    this_round = round_of_activation
    path = '/org/freedesktop/NetworkManager/ActiveConnection/%d' % count
    self.AddObject(path, nm.ACTIVE_CONNECTION_IFACE,
                   {'Uuid': settings['connection']['uuid'], 'Connection': dbus.ObjectPath(profile),
                    'State': dbus.UInt32(1), 'Devices': dbus.Array([dbus.ObjectPath(DEVICE)], signature='o')}, [])
    if device().Get(nm.DEVICE_IFACE, 'State') == nm.DeviceState.ACTIVATED:
        set_state(nm.DeviceState.DEACTIVATING, NEW_ACTIVATION)
        set_state(nm.DeviceState.DISCONNECTED, NEW_ACTIVATION)
    set_state(nm.DeviceState.PREPARE, 0)

    def arrive():
        if this_round != round_of_activation:
            return
        access_point = access_point_of(name)
        if access_point is None:
            fail(NOT_FOUND)
            return
        set_state(nm.DeviceState.CONFIG, 0)
        if air[name.decode()] != password:
            set_state(nm.DeviceState.NEED_AUTH, 8)
            later(1, lambda: fail(NO_SECRETS))
            return
        set_state(nm.DeviceState.IP_CONFIG, 0)
        if not serves:
            later(1, lambda: fail(NO_ADDRESS))
            return
        set_active(path, access_point)
        set_state(nm.DeviceState.ACTIVATED, 0)

    later(2, arrive)
    return dbus.ObjectPath(path)


def add_profile(self, settings):
    refuse()
    path = nm.SettingsAddConnection(self, settings)
    dbusmock.get_object(path).AddMethod(nm.CSETTINGS_IFACE, 'UpdateUnsaved', 'a{sa{sv}}', '',
                                        'self.update_unsaved(self, args[0])')
    dbusmock.get_object(path).update_unsaved = update_profile
    return path


def update_profile(self, settings):
    refuse()
    self.settings = settings  # not merged, as NetworkManager does


def scan(self):
    refuse()
    later(1, lambda: self.Set(nm.WIRELESS_DEVICE_IFACE, 'LastScan', dbus.Int64(1)))


def add_device(self):
    nm.AddWiFiDevice(self, 'wlan0', 'wlan0', nm.DeviceState.DISCONNECTED)
    device().AddProperties(nm.WIRELESS_DEVICE_IFACE, {'LastScan': dbus.Int64(0, variant_level=1),
                                                      'ActiveAccessPoint': dbus.ObjectPath('/')})
    device().AddMethod(nm.WIRELESS_DEVICE_IFACE, 'RequestScan', 'a{sv}', '', 'self.scan(self)')
    device().AddMethod(nm.DEVICE_IFACE, 'Disconnect', '', '', 'self.disconnect(self)')
    device().scan = scan
    device().disconnect = lambda _: set_state(nm.DeviceState.DISCONNECTED, 39)
    for name, password in air.items():
        add_access_point(self, name, password)


def add_access_point(self, name, password):
    global count
    count += 1
    nm.AddAccessPoint(self, DEVICE, str(count), name, '00:23:F8:7E:12:BB', 2, 2425, 5400, 60,
                      PSK if password else 0)


def load(mock, parameters):
    nm.load(mock, parameters)
    dbusmock.get_object(nm.MANAGER_OBJ).activate_connection = activate
    settings = dbusmock.get_object(nm.SETTINGS_OBJ)
    settings.AddMethod(nm.SETTINGS_IFACE, 'AddConnectionUnsaved', 'a{sa{sv}}', 'o',
                       'ret = self.add_profile(self, args[0])')
    settings.add_profile = add_profile
    air.update(parameters.get('air', {}))
    add_device(mock)


@dbus.service.method(MOCK_IFACE, in_signature='ss', out_signature='')
def Appear(self, name, password):
    remove_access_point(self, str(name))
    air[str(name)] = str(password)
    add_access_point(self, str(name), str(password))


def remove_access_point(self, name):
    path = access_point_of(name.encode())
    air.pop(name, None)
    if path is not None:
        nm.RemoveAccessPoint(self, DEVICE, path)
    return path


@dbus.service.method(MOCK_IFACE, in_signature='s', out_signature='')
def Vanish(self, name):
    path = remove_access_point(self, str(name))
    if path is not None and path == device().Get(nm.WIRELESS_DEVICE_IFACE, 'ActiveAccessPoint'):
        fail(SUPPLICANT_TIMEOUT)


@dbus.service.method(MOCK_IFACE, in_signature='b', out_signature='')
def Permit(_self, yes):
    global permits
    permits = bool(yes)


@dbus.service.method(MOCK_IFACE, in_signature='b', out_signature='')
def Serve(_self, yes):
    global serves
    serves = bool(yes)


@dbus.service.method(MOCK_IFACE, in_signature='b', out_signature='')
def Plug(self, yes):
    if yes:
        add_device(self)
        return
    for path in list(device().access_points):
        nm.RemoveAccessPoint(self, DEVICE, path)
    self.RemoveObject(DEVICE)
    dbusmock.get_object(nm.MANAGER_OBJ).EmitSignal(nm.MANAGER_IFACE, 'DeviceRemoved', 'o',
                                                   [dbus.ObjectPath(DEVICE)])


@dbus.service.method(MOCK_IFACE, in_signature='b', out_signature='')
def Enable(_self, yes):
    set_state(nm.DeviceState.DISCONNECTED if yes else nm.DeviceState.UNAVAILABLE, 2)
