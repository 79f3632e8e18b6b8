-- A session with one track, the plugin on it and lanes; run by ardour7-lua. What is in capitals and braces is filled in
-- by ardour.rs.
AudioEngine:set_backend("None (Dummy)", "", "")
local session = create_session("{FOLDER}", "scene", 48000)
local class = nil
for plugin in ARDOUR.LuaAPI.list_plugins():iter() do
  if plugin.name == "{CLASS}" then class = plugin end
end
assert(class, "the plugin is not in Ardour's index")
local order = ARDOUR.PresentationInfo.max_order
local tracks = session:new_audio_track({CHANNELS}, {CHANNELS}, nil, 1, "Scene", order, ARDOUR.TrackMode.Normal, true)
local track = nil
for one in tracks:iter() do track = one end
local processor = ARDOUR.LuaAPI.new_plugin(session, class.unique_id, ARDOUR.PluginType.VST3, "")
assert(track:add_processor_by_index(processor, 0, nil, true) == 0)
local insert = processor:to_insert()
print("SHAPE", insert:get_count(), processor:input_streams():n_audio(), processor:output_streams():n_audio())

local ids = {}
local plugin = insert:plugin(0)
for id = 0, plugin:parameter_count() - 1 do ids[plugin:parameter_label(id)] = id end
local function set(name, value)
  assert(ARDOUR.LuaAPI.set_processor_param(processor, ids[name], value), name)
end
-- Points are a frame and a value.
local function lane_at(name, points, stepped)
  local list = ARDOUR.LuaAPI.plugin_automation(processor, ids[name])
  for _, point in ipairs(points) do
    list:add(Temporal.timepos_t(point[1]), point[2], false, true)
  end
  if stepped then list:set_interpolation(Evoral.InterpolationStyle.Discrete) end
  local parameter = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, ids[name])
  local control = insert:to_automatable():automation_control(parameter, false)
  control:set_automation_state(ARDOUR.AutoState.Play)
end
-- Points are a time in seconds and a value.
local function lane(name, points, stepped)
  local at = {}
  for _, point in ipairs(points) do table.insert(at, { math.floor(point[1] * 48000), point[2] }) end
  lane_at(name, at, stepped)
end
{SETTINGS}
-- The master has two channels, and a panner would fold all others into them.
track:panner_shell():set_bypassed(true)
for channel = 1, {CHANNELS} do
  if channel < {FIRST} or channel > {LAST} then track:output():audio(channel - 1):disconnect_all() end
end
-- Values reach the plugin while the engine runs; what is saved is what has arrived.
sleep(1)
session:save_state("", false, false, false, false, false)
close_session()
quit()
