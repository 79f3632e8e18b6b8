-- Opens a saved session and bounces its master; run by ardour7-lua. What is in capitals and braces is filled in by
-- ardour.rs.
AudioEngine:set_backend("None (Dummy)", "", "")
assert(AudioEngine:set_buffer_size({BUFFER}) == 0)
local session = load_session("{FOLDER}", "scene")
assert(session, "the session does not open")
for route in session:get_routes():iter() do
  local processor = route:nth_plugin(0)
  if not processor:isnil() then
    local plugin = processor:to_insert():plugin(0)
    for id = 0, plugin:parameter_count() - 1 do
      local name = plugin:parameter_label(id)
      if name == "Layer 1 Kind" or name == "Space" then
        print("VALUE", name, math.floor(ARDOUR.LuaAPI.get_processor_param(processor, id, true) + 0.5))
      end
    end
  end
end
if {SAVE} then session:save_state("", false, false, false, false, false) end
local export = session:simple_export()
export:set_folder("{OUT}")
export:set_name("bounce")
export:set_range(0, {FRAMES})
assert(export:set_preset("f10a7000-0000-4000-8000-000000000001"))
assert(export:check_outputs())
print("BOUNCED", export:run_export())
close_session()
quit()
