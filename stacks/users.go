package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

// ownerNameLength is the longest name of an institution. Cognito allows nobody to change
// an attribute's limits later, or to remove the attribute.
const ownerNameLength = 64

// readNames are the attributes of the user pool that name the institutions that a user
// may read, and the tags of a session. Cognito takes all tags of a session in 460 bytes,
// so that there is no room for many more (Amazon Cognito Developer Guide, Using
// attributes for access control).
func readNames() []string {
	return []string{contract.AttributeRead, contract.AttributeRead2, contract.AttributeRead3, contract.AttributeRead4}
}

// permissionNames are the attributes of the user pool that say what a user may do.
func permissionNames() []string {
	return append(readNames(), contract.AttributeWrite, contract.AttributeOperate)
}

// newUserPool makes the pool of users: made by an administrator only, who also says which
// institutions each may read (custom:read, custom:read2 …), which one to post as
// (custom:write), and on whose messages to operate (custom:operate).
func newUserPool(scope constructs.Construct, id string, env Environment) awscognito.UserPool {
	institution := func() awscognito.ICustomAttribute {
		return awscognito.NewStringAttribute(&awscognito.StringAttributeProps{
			Mutable: new(true),
			MinLen:  new(0.0), // so that a permission can be taken away by setting it to nothing
			MaxLen:  new(float64(ownerNameLength)),
		})
	}
	permissions := map[string]awscognito.ICustomAttribute{}
	for _, name := range permissionNames() {
		permissions[name] = institution()
	}
	props := awscognito.UserPoolProps{
		SelfSignUpEnabled:   new(false),
		SignInAliases:       &awscognito.SignInAliases{Email: new(true)},
		SignInCaseSensitive: new(false),
		AccountRecovery:     awscognito.AccountRecovery_EMAIL_ONLY,
		CustomAttributes:    &permissions,
		PasswordPolicy: &awscognito.PasswordPolicy{
			MinLength:            new(12.0),
			RequireDigits:        new(true),
			RequireLowercase:     new(true),
			RequireUppercase:     new(true),
			RequireSymbols:       new(true),
			TempPasswordValidity: awscdk.Duration_Days(new(3.0)),
		},
		FeaturePlan:        awscognito.FeaturePlan_ESSENTIALS,
		DeletionProtection: new(env.KeepData),
		RemovalPolicy:      env.removalPolicy(),
	}
	if env.RequireMFA {
		props.Mfa = awscognito.Mfa_REQUIRED
		props.MfaSecondFactor = &awscognito.MfaSecondFactor{Otp: new(true), Sms: new(false)} // a telephone number can be taken over
	}
	if env.ThreatProtection {
		props.FeaturePlan = awscognito.FeaturePlan_PLUS
		props.StandardThreatProtectionMode = awscognito.StandardThreatProtectionMode_FULL_FUNCTION
	}
	pool := awscognito.NewUserPool(scope, &id, &props)
	if !env.RequireMFA {
		accept(pool, "AwsSolutions-COG2", "Synthetic patients only: a second factor would keep tests from signing in. prod requires it.")
	}
	if !env.ThreatProtection {
		accept(pool, "AwsSolutions-COG3", "Synthetic patients only: threat protection is charged for each user. prod enforces it.")
	}
	return pool
}

// newUserPoolClient makes the application with which the command line signs users in. Its
// tokens carry custom:read, custom:write and custom:operate, but signed-in users cannot
// change these: see [clientOptions].
func newUserPoolClient(users awscognito.UserPool, id string, env Environment) awscognito.UserPoolClient {
	options := clientOptions(env)
	options.DisableOAuth = new(true)
	options.AuthFlows = &awscognito.AuthFlow{
		UserSrp: new(true), UserPassword: new(env.PasswordSignIn), AdminUserPassword: new(env.PasswordSignIn),
	}
	return users.AddClient(&id, options)
}

// newConsoleClient makes the application for browsers. Users sign in on Cognito's pages,
// and the application gets a code that it exchanges for tokens with the secret that it
// made for this sign-in (code + PKCE, RFC 7636). It has no secret of its own, which a
// browser could not keep, and never sees a password. The pages lead to the page at the
// address after signing in and out.
func newConsoleClient(users awscognito.UserPool, id string, env Environment, page string) awscognito.UserPoolClient {
	options := clientOptions(env)
	options.OAuth = &awscognito.OAuthSettings{
		Flows: &awscognito.OAuthFlows{AuthorizationCodeGrant: new(true)},
		// Only openid: with other scopes beside it, the ID token holds the attributes
		// that those stand for, and neither custom:read nor custom:write (Amazon Cognito
		// Developer Guide, Scopes, M2M, and resource servers).
		Scopes:       &[]awscognito.OAuthScope{awscognito.OAuthScope_OPENID()},
		CallbackUrls: texts(page),
		LogoutUrls:   texts(page),
	}
	client := users.AddClient(&id, options)
	client.Node().DefaultChild().(awscognito.CfnUserPoolClient).SetExplicitAuthFlows(texts("ALLOW_REFRESH_TOKEN_AUTH"))
	return client
}

// clientOptions are the options of every application with which people sign in. They name
// the attributes that a user may change, because the default is all of them.
func clientOptions(env Environment) *awscognito.UserPoolClientOptions {
	return &awscognito.UserPoolClientOptions{
		SupportedIdentityProviders: &[]awscognito.UserPoolClientIdentityProvider{awscognito.UserPoolClientIdentityProvider_COGNITO()},
		PreventUserExistenceErrors: new(true),
		EnableTokenRevocation:      new(true),
		IdTokenValidity:            awscdk.Duration_Minutes(&env.Sessions.TokenMinutes),
		AccessTokenValidity:        awscdk.Duration_Minutes(&env.Sessions.TokenMinutes),
		RefreshTokenValidity:       awscdk.Duration_Hours(&env.Sessions.SignInHours),
		ReadAttributes: awscognito.NewClientAttributes().
			WithStandardAttributes(&awscognito.StandardAttributesMask{Email: new(true), Fullname: new(true)}).
			WithCustomAttributes(*texts(permissionNames()...)...),
		WriteAttributes: awscognito.NewClientAttributes().
			WithStandardAttributes(&awscognito.StandardAttributesMask{Fullname: new(true)}),
	}
}
