-- Makes a session of Ardour with the plugin on a MIDI track, for window.sh, ardour.sh and package.sh. It is run by Ardour's Lua shell.
-- Environment: SESSION (the folder to make), PLUGIN (its name, unless it is Antiphon), LOST_MODEL (a path: the project's model file, which is not there),
-- SECONDS_OPEN (how long the session stays open; not at all unless given).
AudioEngine:set_backend("JACK", "ardour", "")
local folder = os.getenv("SESSION")
-- Ardour opens a folder by the session of the same name.
local session = assert(create_session(folder, folder:match("[^/]+$"), 48000), "Ardour makes no session")
Session = session
local midi = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
-- The instrument slot adds outputs of sound to its track.
local keeps_outputs = os.getenv("PLUGIN") == nil
local track = session:new_midi_track(midi, midi, keeps_outputs, ARDOUR.PluginInfo(), nil, nil, 1, "Antiphon", 0xffffffff,
    ARDOUR.TrackMode.Normal, true):front()
local plugin = ARDOUR.LuaAPI.new_plugin(session, os.getenv("PLUGIN") or "Antiphon", ARDOUR.PluginType.VST3, "")
assert(not plugin:isnil(), "Ardour does not know the plugin")
assert(track:add_processor_by_index(plugin, 0, nil, true) == 0, "Ardour does not insert the plugin")
track:monitoring_control():set_value(1, PBD.GroupControlDisposition.NoGroup)

-- Ardour sets a VST3 plugin's state by a preset only.
if os.getenv("LOST_MODEL") then
    local preset = plugin:to_insert():plugin(0):preset_by_label("Lost model")
    assert(preset and preset.valid, "Ardour does not list the preset")
    assert(plugin:to_insert():plugin(0):load_preset(preset), "Ardour does not load the preset")
end
session:save_state("")
for _ = 1, tonumber(os.getenv("SECONDS_OPEN") or "0") do
    ARDOUR.LuaAPI.usleep(1000000)
    collectgarbage()
end
close_session()
quit()
