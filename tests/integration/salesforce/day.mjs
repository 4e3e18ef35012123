// A day of jsforce against an org: node day.mjs URL JSFORCE, where JSFORCE is its entry file.
// The org has an app, a refresh token in STAND_IN_REFRESH_TOKEN, and pages of 200 records.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const [url, entry] = process.argv.slice(2);
const { default: jsforce } = await import(pathToFileURL(entry));
const KEY = "Journal_Key__c";
const oauth2 = { loginUrl: url, clientId: "stand-in-client", clientSecret: "stand-in-secret" };
const version = "67.0";

async function refused(code, work) {
  await assert.rejects(work, (error) => {
    assert.equal(error.errorCode, code, error.stack);
    return true;
  });
}

// --- who we are

const conn = new jsforce.Connection({ oauth2, instanceUrl: url, version, maxRequest: 5 });
const user = await conn.authorize({ grant_type: "client_credentials" });
assert.match(user.id, /^005/);
assert.equal((await conn.identity()).username, "integration@stand-in.example");
await assert.rejects(
  new jsforce.Connection({ oauth2: { ...oauth2, clientSecret: "no" }, version }).authorize({
    grant_type: "client_credentials",
  }),
  /invalid client credentials/,
);
assert.ok((await conn.request("/services/data")).some((each) => each.version === version));

// --- a record

const made = await conn.sobject("Account").create({ Name: "Acme", Phone: "1" });
assert.equal(made.success, true);
const updated = await conn.sobject("Account").update({ Id: made.id, Phone: "2" });
assert.deepEqual([updated.id, updated.success], [made.id, true]);
assert.equal((await conn.sobject("Account").retrieve(made.id)).Phone, "2");
const gone = await conn.sobject("Account").create({ Name: "Gone" });
assert.equal((await conn.sobject("Account").destroy(gone.id)).success, true);
await refused("ENTITY_IS_DELETED", conn.sobject("Account").update({ Id: gone.id, Phone: "3" }));
await refused("NOT_FOUND", conn.sobject("Account").retrieve("001000000000001AAA"));

// --- by key

const visit = { [KEY]: "k-1", Status__c: "open", Account__c: made.id };
const first = await conn.sobject("Visit__c").upsert(visit, KEY);
assert.equal(first.created, true);
const second = await conn.sobject("Visit__c").upsert({ ...visit, Status__c: "done" }, KEY);
assert.deepEqual([second.created, second.id], [false, first.id]);
const named = { [KEY]: "k-2", Account__r: { [KEY]: "nobody" } };
await refused("INVALID_FIELD", conn.sobject("Visit__c").upsert(named, KEY));

// --- many at once

const records = Array.from({ length: 450 }, (_, n) => ({
  LastName: `C${String(n).padStart(3, "0")}`,
  AccountId: made.id,
}));
const results = await conn.sobject("Contact").create(records, { allowRecursive: true });
assert.equal(results.filter((each) => each.success).length, 450);
const mixed = await conn.sobject("Account").create([{ Name: "One" }, { Name: "" }]);
assert.deepEqual(mixed.map((each) => each.success), [true, false]);
assert.equal(mixed[1].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
const renamed = results.slice(0, 3).map(({ id }) => ({ Id: id, FirstName: "F" }));
assert.ok((await conn.sobject("Contact").update(renamed)).every((each) => each.success));
const upserted = await conn.sobject("Visit__c").upsert(
  [{ [KEY]: "k-1", Hours__c: 2 }, { [KEY]: "k-3" }],
  KEY,
);
assert.deepEqual(upserted.map((each) => each.created), [false, true]);
const both = await conn.sobject("Contact").retrieve([results[0].id, results[1].id]);
assert.deepEqual(both.map((each) => each.Name), ["F C000", "F C001"]);
const destroyed = await conn.sobject("Contact").destroy([results[449].id]);
assert.equal(destroyed[0].success, true);

// --- queries

const soql = "SELECT Id, LastName, Account.Name FROM Contact ORDER BY LastName";
const page = await conn.query(soql);
assert.deepEqual([page.totalSize, page.done, page.records.length], [449, false, 200]);
assert.equal(page.records[0].Account.Name, "Acme");
const next = await conn.queryMore(page.nextRecordsUrl);
assert.equal(next.records[0].LastName, "C200");
const all = await conn.query(soql, { autoFetch: true, maxFetch: 1000 });
assert.equal(all.records.length, 449);
const everything = await conn.query("SELECT COUNT() FROM Contact", { scanAll: true });
assert.equal(everything.totalSize, 450);
const found = await conn
  .sobject("Contact")
  .find({ LastName: { $like: "C00%" }, CreatedDate: { $lte: jsforce.Date.toDateTimeLiteral("2030-01-01T00:00:00Z") } })
  .sort({ LastName: -1 })
  .limit(3);
assert.deepEqual(found.map((each) => each.LastName), ["C009", "C008", "C007"]);
assert.equal(await conn.sobject("Contact").count({ FirstName: "F" }), 3);
const withChildren = await conn
  .sobject("Account")
  .find({ Id: made.id }, "Id, Name")
  .include("Visits__r")
  .select("Id, Status__c")
  .end();
assert.deepEqual(withChildren[0].Visits__r.records.map((each) => each.Status__c), ["done"]);
await refused("MALFORMED_QUERY", conn.query("SELECT FROM Account"));
await refused("INVALID_FIELD", conn.query("SELECT Nothing__c FROM Account"));
await refused("INVALID_TYPE", conn.query("SELECT Id FROM Nothing__c"));

// --- what there is, and what has changed

assert.ok((await conn.describeGlobal()).sobjects.some((each) => each.name === "Visit__c"));
const fields = (await conn.sobject("Visit__c").describe()).fields;
assert.equal(fields.find((each) => each.name === KEY).externalId, true);
const now = Date.now();
const span = [new Date(now - 3_600_000), new Date(now + 60_000)];
assert.ok((await conn.sobject("Account").updated(...span)).ids.includes(made.id));
const deletions = await conn.sobject("Account").deleted(...span);
assert.deepEqual(deletions.deletedRecords.map((each) => each.id), [gone.id]);
assert.ok((await conn.limits()).DailyApiRequests.Remaining > 0);
assert.ok(conn.limitInfo.apiUsage.used > 0);

// --- several in one

const base = `/services/data/v${version}/sobjects`;
const { compositeResponse } = await conn.requestPost("/composite", {
  allOrNone: true,
  collateSubrequests: false,
  compositeRequest: [
    { method: "PATCH", url: `${base}/Account/${KEY}/p-1`, referenceId: "p", body: { Name: "P" } },
    { method: "POST", url: `${base}/Contact`, referenceId: "c", body: { LastName: "C", AccountId: "@{p.id}" } },
  ],
});
assert.deepEqual(compositeResponse.map((each) => each.httpStatusCode), [201, 201]);
const batch = await conn.requestPost("/composite/batch", {
  haltOnError: true,
  batchRequests: [
    { method: "PATCH", url: `v${version}/sobjects/Account/${made.id}`, richInput: { Site: "S" } },
    { method: "PATCH", url: `v${version}/sobjects/Account/${gone.id}`, richInput: { Site: "S" } },
    { method: "GET", url: `v${version}/limits` },
  ],
});
assert.deepEqual(batch.results.map((each) => each.statusCode), [204, 404, 412]);

// --- a session that ends, and a token that works once

const refreshing = new jsforce.Connection({
  oauth2,
  instanceUrl: url,
  version,
  accessToken: "long gone",
  refreshToken: process.env.STAND_IN_REFRESH_TOKEN,
});
let refreshes = 0;
refreshing.on("refresh", () => (refreshes += 1));
assert.equal((await refreshing.query("SELECT COUNT() FROM Visit__c")).totalSize, 2);
assert.equal(refreshes, 1);
const { accessToken } = conn;
await conn.logout();
const stale = new jsforce.Connection({ instanceUrl: url, version, accessToken });
await refused("INVALID_SESSION_ID", stale.query("SELECT Id FROM Account"));
console.log("a good day");
