/**
 * All of a reset in one call, since each call of rabbitmqctl takes half a second. Deleting a virtual host closes its
 * connections and deletes all that is in it.
 */
export const resetExpression: string = `
Actor = <<"reset">>,
[rabbit_vhost:delete(Name, Actor) || Name <- rabbit_vhost:list_names()],
[rabbit_auth_backend_internal:delete_user(proplists:get_value(user, User), Actor)
  || User <- rabbit_auth_backend_internal:list_users(), proplists:get_value(user, User) =/= <<"guest">>],
_ = rabbit_vhost:add(<<"/">>, Actor),
rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"/">>, <<".*">>, <<".*">>, <<".*">>, Actor),
{ok, Memory} = application:get_env(rabbit, vm_memory_high_watermark),
{ok, Disk} = application:get_env(rabbit, disk_free_limit),
[begin
  rpc:call(Node, vm_memory_monitor, set_vm_memory_high_watermark, [Memory]),
  rpc:call(Node, rabbit_disk_monitor, set_disk_free_limit, [Disk])
end || Node <- [node() | nodes()]],
ok.`

/** Every table on disk that a node writes from time to time; the registry of quorum queues is one. */
export const syncExpression: string = '[dets:sync(Table) || Table <- dets:all()], ok.'
